//! The front page: which institutions run here and where everything is, in both languages.

use super::Plan;
use yufu_profile::{Institution, Role};

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1b1b1a;--paper:#fbfaf7;--line:#d9d5cc;--mark:#8c2f1b}\
@media(prefers-color-scheme:dark){:root{--ink:#ece9e2;--paper:#181816;--line:#3a3833;--mark:#e2866f}}\
body{margin:0 auto;max-width:44rem;padding:2rem 1rem 4rem;background:var(--paper);color:var(--ink);\
font:1rem/1.55 system-ui,'Noto Sans SC','PingFang SC',sans-serif}\
h1{font-size:1.6rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}p{margin:.4rem 0}\
table{border-collapse:collapse;width:100%}td{border-top:1px solid var(--line);padding:.45rem .5rem .45rem 0;vertical-align:top}\
code{font-size:.9em}a{color:var(--mark)}.zh{display:block}";

/// The page for the institutions of `plan`, and where the others are.
pub(super) fn page(plan: &Plan<'_>) -> String {
    let profile = plan.profile();
    let rows: String = profile
        .institutions
        .values()
        .map(|institution| {
            format!(
                "<tr id=\"{id}\"><td><span class=\"zh\" lang=\"zh\">{zh}</span>{en}</td><td>{place}</td>\
                 <td><span class=\"zh\" lang=\"zh\">{policy_zh}</span>{policy_en}</td></tr>",
                id = escape(institution.id.as_str()),
                place = place(plan, institution),
                zh = escape(&institution.name.zh),
                en = escape(&institution.name.en),
                policy_zh = escape(&institution.privacy_policy.zh),
                policy_en = escape(&institution.privacy_policy.en),
            )
        })
        .collect();
    let links: String = links(plan)
    .into_iter()
    .map(|(href, zh, en)| {
        format!("<tr><td><a href=\"{href}\"><code>{href}</code></a></td><td><span class=\"zh\" lang=\"zh\">{zh}</span>{en}</td></tr>")
    })
    .collect();
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

/// Its id, and where it is reached if it is not served here.
fn place(plan: &Plan<'_>, institution: &Institution) -> String {
    let id = escape(institution.id.as_str());
    if plan.serves(&institution.id) {
        return format!("<code>{id}</code>");
    }
    let url = escape(plan.address(&institution.id));
    format!("<a href=\"{url}\"><code>{id}</code></a>")
}

/// What there is to look at here: addresses, and what they are.
fn links(plan: &Plan<'_>) -> Vec<(&'static str, &'static str, &'static str)> {
    let all = [
        (None, "/docs", "接口说明", "The API, to read and to try"),
        (None, "/openapi.json", "接口描述文件", "The API as OpenAPI"),
        (
            Some(Role::CentralBank),
            "/central-bank/v1/supply",
            "货币总量",
            "How much money there is, and where",
        ),
        (Some(Role::CentralBank), "/central-bank/v1/ledger", "账本链头", "Where the log stands"),
        (
            Some(Role::TrustListOperator),
            "/trust-list/v1/list",
            "信任清单",
            "The trust list, signed",
        ),
        (
            Some(Role::IdentityAuthority),
            "/.well-known/openid-credential-issuer/authority",
            "证件签发者",
            "The issuer's metadata",
        ),
        (None, "/healthz", "运行状态", "Health"),
        (None, "/metrics", "指标", "Metrics"),
    ];
    let here = |role: Option<Role>| {
        role.is_none_or(|role| plan.profile().institutions_of(role).any(|one| plan.serves(&one.id)))
    };
    let links = all.into_iter().filter(|(role, ..)| here(*role));
    links.map(|(_, href, zh, en)| (href, zh, en)).collect()
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
