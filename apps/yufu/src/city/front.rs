//! The front page: which institutions run here and where everything is, in the languages of the country.

use super::Plan;
use super::front_words::words;
use std::collections::BTreeMap;
use yufu_api::public::Pages;
use yufu_profile::{Institution, Role};

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1b1b1a;--paper:#fbfaf7;--line:#d9d5cc;--mark:#8c2f1b}\
@media(prefers-color-scheme:dark){:root{--ink:#ece9e2;--paper:#181816;--line:#3a3833;--mark:#e2866f}}\
body{margin:0 auto;max-width:44rem;padding:2rem 1rem 4rem;background:var(--paper);color:var(--ink);\
font:1rem/1.55 system-ui,'Noto Sans SC','PingFang SC',sans-serif}\
h1{font-size:1.6rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}p{margin:.4rem 0}\
table{border-collapse:collapse;width:100%}td{border-top:1px solid var(--line);padding:.45rem .5rem .45rem 0;vertical-align:top}\
code{font-size:.9em}a{color:var(--mark)}";

/// The page for the institutions of `plan`, and where the others are, in each language of the country.
pub(super) fn pages(plan: &Plan<'_>) -> Pages {
    let languages = &plan.profile().languages;
    let page = |language: &String| (language.clone(), page(plan, language));
    let pages: BTreeMap<String, String> = languages.iter().map(page).collect();
    Pages::new(languages.first().cloned().unwrap_or_default(), pages)
}

fn page(plan: &Plan<'_>, language: &str) -> String {
    let (profile, words) = (plan.profile(), words(language));
    let rows: String = profile
        .institutions
        .values()
        .map(|institution| {
            format!(
                "<tr id=\"{id}\"><td>{name}</td><td>{place}</td><td>{policy}</td></tr>",
                id = escape(institution.id.as_str()),
                place = place(plan, institution),
                name = escape(institution.name.get(language)),
                policy = escape(institution.privacy_policy.get(language)),
            )
        })
        .collect();
    let links: String = words
        .links
        .iter()
        .filter(|(href, _)| is_here(plan, href))
        .map(|(href, text)| {
            format!("<tr><td><a href=\"{href}\"><code>{href}</code></a></td><td>{text}</td></tr>")
        })
        .collect();
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
         <h2 id=\"lost\">{lost}</h2><ul>{steps}</ul>\
         <h2>{institutions}</h2><table>{rows}</table>\
         </body></html>",
        name = escape(profile.name.get(language)),
        subtitle = words.subtitle,
        places = words.places,
        lost = words.lost,
        steps = words.steps.map(|step| format!("<li>{step}</li>")).concat(),
        institutions = words.institutions,
        languages = languages.join(" · "),
    )
}

/// Its id, and where it is reached if it is not served here.
fn place(plan: &Plan<'_>, institution: &Institution) -> String {
    let id = escape(institution.id.as_str());
    if plan.serves(&institution.id) {
        return format!("<code>{id}</code>");
    }
    let url = escape(plan.address(&institution.id));
    format!("<a href=\"{url}\"><code>{id}</code></a>")
}

/// Whether what an address shows is served here.
fn is_here(plan: &Plan<'_>, href: &str) -> bool {
    let of = [
        ("/central-bank/", Role::CentralBank),
        ("/trust-list/", Role::TrustListOperator),
        ("/.well-known/openid-credential-issuer/authority", Role::IdentityAuthority),
    ];
    let role = of.iter().find(|(place, _)| href.starts_with(place)).map(|(_, role)| *role);
    role.is_none_or(|role| plan.profile().institutions_of(role).any(|one| plan.serves(&one.id)))
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
