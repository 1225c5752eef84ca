//! The front page: which institutions run here and where everything is, in both languages.

use yufu_profile::Profile;

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1b1b1a;--paper:#fbfaf7;--line:#d9d5cc;--mark:#8c2f1b}\
@media(prefers-color-scheme:dark){:root{--ink:#ece9e2;--paper:#181816;--line:#3a3833;--mark:#e2866f}}\
body{margin:0 auto;max-width:44rem;padding:2rem 1rem 4rem;background:var(--paper);color:var(--ink);\
font:1rem/1.55 system-ui,'Noto Sans SC','PingFang SC',sans-serif}\
h1{font-size:1.6rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}p{margin:.4rem 0}\
table{border-collapse:collapse;width:100%}td{border-top:1px solid var(--line);padding:.45rem .5rem .45rem 0;vertical-align:top}\
code{font-size:.9em}a{color:var(--mark)}.zh{display:block}";

/// The page for the city of `profile`.
pub(super) fn page(profile: &Profile) -> String {
    let rows: String = profile
        .institutions
        .values()
        .map(|institution| {
            format!(
                "<tr id=\"{id}\"><td><span class=\"zh\" lang=\"zh\">{zh}</span>{en}</td><td><code>{id}</code></td>\
                 <td><span class=\"zh\" lang=\"zh\">{policy_zh}</span>{policy_en}</td></tr>",
                id = escape(institution.id.as_str()),
                zh = escape(&institution.name.zh),
                en = escape(&institution.name.en),
                policy_zh = escape(&institution.privacy_policy.zh),
                policy_en = escape(&institution.privacy_policy.en),
            )
        })
        .collect();
    let links: String = [
        ("/docs", "接口说明", "The API, to read and to try"),
        ("/openapi.json", "接口描述文件", "The API as OpenAPI"),
        ("/central-bank/v1/supply", "货币总量", "How much money there is, and where"),
        ("/central-bank/v1/ledger", "账本链头", "Where the log stands"),
        ("/trust-list/v1/list", "信任清单", "The trust list, signed"),
        ("/.well-known/openid-credential-issuer/authority", "证件签发者", "The issuer's metadata"),
        ("/healthz", "运行状态", "Health"),
        ("/metrics", "指标", "Metrics"),
    ]
    .map(|(href, zh, en)| {
        format!("<tr><td><a href=\"{href}\"><code>{href}</code></a></td><td><span class=\"zh\" lang=\"zh\">{zh}</span>{en}</td></tr>")
    })
    .concat();
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>Yufu 鱼符 · {en}</title><style>{STYLE}</style></head><body>\
         <h1>鱼符 Yufu</h1>\
         <p lang=\"zh\">{zh}：数字身份、数字现金与公共服务，双向核验，默认保密。</p>\
         <p>{en}: digital identity, digital cash and public services; verified on both ends, private by default.</p>\
         <h2><span lang=\"zh\">去处</span> · Where to look</h2><table>{links}</table>\
         <h2><span lang=\"zh\">机构</span> · Institutions</h2><table>{rows}</table>\
         </body></html>",
        zh = escape(&profile.name.zh),
        en = escape(&profile.name.en),
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
