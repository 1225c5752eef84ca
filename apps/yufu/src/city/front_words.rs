//! The program's own words on the front page, in the languages that the program has. A country's
//! names are in its profile.

/// The words of one language.
pub(super) struct Words {
    /// What stands after the country's name.
    pub(super) subtitle: &'static str,
    /// The heading above the links.
    pub(super) places: &'static str,
    /// The heading above what to do about a wallet that was lost or stolen.
    pub(super) lost: &'static str,
    /// What to do, and what cannot be frozen.
    pub(super) steps: [&'static str; 6],
    /// The heading above the institutions.
    pub(super) institutions: &'static str,
    /// What each link leads to.
    pub(super) links: [(&'static str, &'static str); 8],
}

const ENGLISH: Words = Words {
    subtitle: "digital identity, digital cash and public services; verified on both ends, private by default.",
    places: "Where to look",
    lost: "Your wallet was lost or stolen",
    steps: [
        "Freeze it, from any device, with the sheet that it wrote: <code>yufu wallet freeze --sheet FILE</code>. Identity, accounts, tickets, memberships and attestations are stopped in one step. Without a sheet go to a counter of the authority and of your bank with your identity card.",
        "Notes on the device cannot be frozen: they are like cash. If you have their words, restore them on another device at once.",
        "A purse in nobody's name cannot be frozen, as nobody could free it: its limit is what can be lost.",
        "Your pseudonyms cannot be frozen: have them replaced at a counter of the authority. Another account for a pension is paid only after it has rested for days, and is given up when you freeze.",
        "Anonymous credentials cannot be frozen: they lapse with their epoch.",
        "What came into the wallet after the sheet was written is not on it: go to a counter of that institution.",
    ],
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
    lost: "钱包丢失或被盗",
    steps: [
        "请用钱包写下的冻结单，在任何设备上冻结：<code>yufu wallet freeze --sheet 文件</code>。身份、账户、车票、参保关系和各类证明一步停用。没有冻结单的，请持身份证到身份机关和开户银行柜台办理。",
        "设备里的数字现金无法冻结，它与现金一样。如果您有助记词，请立即在另一台设备上恢复。",
        "非实名钱包无法冻结，冻结后无人可以解冻；损失以其限额为限。",
        "化名无法冻结，请到身份机关柜台更换。更换养老金收款账户须等待数日才生效，冻结即撤销更换。",
        "匿名凭证无法冻结，期满自动失效。",
        "写冻结单之后进入钱包的内容不在单上，请到该机构柜台办理。",
    ],
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
