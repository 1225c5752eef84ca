//! The program's own words on the front page, in the languages that the program has. A country's
//! names are in its profile.

/// The words of one language.
pub(super) struct Words {
    /// What stands after the country's name.
    pub(super) subtitle: &'static str,
    /// The heading above the links.
    pub(super) places: &'static str,
    /// The heading above the institutions.
    pub(super) institutions: &'static str,
    /// What each link leads to.
    pub(super) links: [(&'static str, &'static str); 8],
}

const ENGLISH: Words = Words {
    subtitle: "digital identity, digital cash and public services; verified on both ends, private by default.",
    places: "Where to look",
    institutions: "Institutions",
    links: [
        ("/docs", "The API, to read and to try"),
        ("/openapi.json", "The API as OpenAPI"),
        ("/central-bank/v1/supply", "How much money there is, and where"),
        ("/central-bank/v1/ledger", "Where the log stands"),
        ("/trust-list/v1/list", "The trust list, signed"),
        ("/.well-known/openid-credential-issuer/authority", "The issuer's metadata"),
        ("/healthz", "Health"),
        ("/metrics", "Metrics"),
    ],
};

const CHINESE: Words = Words {
    subtitle: "数字身份、数字现金与公共服务，双向核验，默认保密。",
    places: "去处",
    institutions: "机构",
    links: [
        ("/docs", "接口说明"),
        ("/openapi.json", "接口描述文件"),
        ("/central-bank/v1/supply", "货币总量"),
        ("/central-bank/v1/ledger", "账本链头"),
        ("/trust-list/v1/list", "信任清单"),
        ("/.well-known/openid-credential-issuer/authority", "证件签发者"),
        ("/healthz", "运行状态"),
        ("/metrics", "指标"),
    ],
};

/// The words in `language`; in English if the program has not got it.
pub(super) fn words(language: &str) -> &'static Words {
    match language.split('-').next() {
        Some("zh") => &CHINESE,
        _ => &ENGLISH,
    }
}
