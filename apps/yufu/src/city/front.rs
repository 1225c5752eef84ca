//! The front page: which institutions run here and where everything is, in the languages of the country.

use super::front_words::words;
use yufu_api::public::Pages;
use yufu_profile::Profile;

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1b1b1a;--paper:#fbfaf7;--line:#d9d5cc;--mark:#8c2f1b}\
@media(prefers-color-scheme:dark){:root{--ink:#ece9e2;--paper:#181816;--line:#3a3833;--mark:#e2866f}}\
body{margin:0 auto;max-width:44rem;padding:2rem 1rem 4rem;background:var(--paper);color:var(--ink);\
font:1rem/1.55 system-ui,'Noto Sans SC','PingFang SC',sans-serif}\
h1{font-size:1.6rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}p{margin:.4rem 0}\
table{border-collapse:collapse;width:100%}td{border-top:1px solid var(--line);padding:.45rem .5rem .45rem 0;vertical-align:top}\
code{font-size:.9em}a{color:var(--mark)}";

/// The page for the city of `profile`, in each of its languages.
pub(super) fn pages(profile: &Profile) -> Pages {
    let page = |language: &String| (language.clone(), page(profile, language));
    let default = profile.languages.first().cloned().unwrap_or_default();
    Pages::new(default, profile.languages.iter().map(page).collect())
}

fn page(profile: &Profile, language: &str) -> String {
    let words = words(language);
    let rows: String = profile
        .institutions
        .values()
        .map(|institution| {
            format!(
                "<tr id=\"{id}\"><td>{name}</td><td><code>{id}</code></td><td>{policy}</td></tr>",
                id = escape(institution.id.as_str()),
                name = escape(institution.name.get(language)),
                policy = escape(institution.privacy_policy.get(language)),
            )
        })
        .collect();
    let links = words.links.map(|(href, text)| {
        format!("<tr><td><a href=\"{href}\"><code>{href}</code></a></td><td>{text}</td></tr>")
    });
    let languages: Vec<String> = profile
        .languages
        .iter()
        .map(|tag| format!("<a href=\"/?lang={tag}\" hreflang=\"{tag}\">{tag}</a>"))
        .collect();
    format!(
        "<!doctype html><html lang=\"{language}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>Yufu 鱼符 · {name}</title><style>{STYLE}</style></head><body>\
         <h1>鱼符 Yufu</h1><p>{name}: {subtitle}</p><p>{languages}</p>\
         <h2>{places}</h2><table>{links}</table>\
         <h2>{institutions}</h2><table>{rows}</table>\
         </body></html>",
        name = escape(profile.name.get(language)),
        subtitle = words.subtitle,
        places = words.places,
        institutions = words.institutions,
        languages = languages.join(" · "),
        links = links.concat(),
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_become_markup() {
        assert_eq!(escape("<b a=\"1\">&"), "&lt;b a=&quot;1&quot;&gt;&amp;");
    }
}
