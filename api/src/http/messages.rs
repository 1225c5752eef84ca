//! What refusals say to people, in each language: a title and a remedy for every code, from the
//! files in `api/messages`.

use super::{Language, ProblemBody};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use yufu_base::Amount;
use yufu_profile::CurrencyProfile;

/// The messages of one language, as its file holds them.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    step_up: StepUpWords,
    messages: BTreeMap<String, Message>,
}

/// What is wrong, in one sentence, and what to do next. `{member}` stands for a member of the problem.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    title: String,
    remedy: String,
}

/// What `{step_up}` says of the member of that name; where nothing lifts the limit, nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct StepUpWords {
    presentation: String,
    wallet_class: String,
    or: String,
}

static ENGLISH: LazyLock<Catalogue> =
    LazyLock::new(|| read(include_str!("../../messages/en.toml")));
static CHINESE: LazyLock<Catalogue> =
    LazyLock::new(|| read(include_str!("../../messages/zh.toml")));

fn read(text: &str) -> Catalogue {
    toml::from_str(text).unwrap_or_else(|error| {
        tracing::error!(%error, "a file of messages was not understood: refusals carry their detail only");
        Catalogue::default()
    })
}

/// Puts title and remedy into a problem. A text with a placeholder for which the problem has no
/// member is left out.
pub(super) fn word(body: &mut ProblemBody, language: Language, currency: &CurrencyProfile) {
    let catalogue: &Catalogue = match language {
        Language::En => &ENGLISH,
        Language::Zh => &CHINESE,
    };
    let message = catalogue.messages.get(&body.code);
    let said = |text: &str| {
        let member = |name: &str| catalogue.step_up.said(name, body.more.get(name)?, currency);
        fill(text, member)
    };
    let title = message.and_then(|message| said(&message.title));
    let remedy = message.and_then(|message| said(&message.remedy));
    (body.title, body.remedy) = (title, remedy);
}

/// Replaces every `{name}` in `text` by what `member` gives for it; `None` if it gives nothing for one.
#[must_use]
pub fn fill(text: &str, member: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut pieces = text.split('{');
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once('}')?;
        filled.push_str(&member(name)?);
        filled.push_str(rest);
    }
    Some(filled)
}

impl StepUpWords {
    /// A member for a person to read: amounts in major units, with the currency's sign.
    fn said(&self, name: &str, value: &Value, currency: &CurrencyProfile) -> Option<String> {
        match value {
            Value::Number(number) if name.ends_with("_minor") => {
                Some(money(number.as_u64()?, currency))
            }
            Value::Number(number) => Some(number.to_string()),
            Value::String(text) => Some(text.clone()),
            _ if name == "step_up" => self.lifting(value),
            _ => None,
        }
    }

    fn lifting(&self, step_up: &Value) -> Option<String> {
        match step_up.get("kind").and_then(Value::as_str) {
            Some("presentation") => Some(self.presentation.clone()),
            Some("wallet_class") => {
                let classes = step_up.get("classes")?.as_array()?.iter().filter_map(Value::as_str);
                let classes = classes.collect::<Vec<_>>().join(&self.or);
                fill(&self.wallet_class, |name| (name == "classes").then(|| classes.clone()))
            }
            _ => Some(String::new()),
        }
    }
}

/// An amount in major units, in groups of three digits, behind the currency's sign.
fn money(minor: u64, currency: &CurrencyProfile) -> String {
    let major = Amount::new(currency.code, minor).to_major(currency.decimals);
    let (whole, part) = major.split_once('.').unwrap_or((&major, ""));
    let mut text = currency.sign.clone();
    for (place, digit) in whole.chars().enumerate() {
        let left = whole.len().saturating_sub(place);
        if place > 0 && left.is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if !part.is_empty() {
        text.push('.');
        text.push_str(part);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use yufu_base::Currency;

    fn currency(decimals: u8) -> CurrencyProfile {
        let code = Currency::new("CNY").unwrap();
        CurrencyProfile { code, decimals, minor_unit: "fen".to_owned(), sign: "¥".to_owned() }
    }

    #[test]
    fn an_amount_has_its_sign_its_groups_and_its_decimals() {
        let rows = [(0, "¥0.00"), (5, "¥0.05"), (99_999, "¥999.99"), (100_000, "¥1,000.00")];
        for (minor, expected) in rows {
            assert_eq!(money(minor, &currency(2)), expected);
        }
        assert_eq!(money(u64::MAX, &currency(2)), "¥184,467,440,737,095,516.15");
        assert_eq!(money(1_234_567, &currency(0)), "¥1,234,567");
    }

    #[test]
    fn a_text_with_an_unknown_placeholder_is_left_out_whole() {
        let known = |name: &str| (name == "a").then(|| "1".to_owned());
        assert_eq!(fill("{a} and {a}", known).as_deref(), Some("1 and 1"));
        assert_eq!(fill("none", known).as_deref(), Some("none"));
        for torn in ["{b}", "{a} {b}", "{a", "{", "{}"] {
            assert_eq!(fill(torn, known), None, "{torn}");
        }
    }

    #[test]
    fn the_step_up_is_said_as_it_is() {
        let words = &ENGLISH.step_up;
        let said = |value: Value| words.said("step_up", &value, &currency(2)).unwrap();
        assert_eq!(said(json!({"kind": "presentation"})), words.presentation);
        let classes = said(json!({"kind": "wallet_class", "classes": ["I", "II"]}));
        assert!(classes.ends_with("I or II"), "{classes}");
        assert_eq!(said(Value::Null), "");
    }
}
