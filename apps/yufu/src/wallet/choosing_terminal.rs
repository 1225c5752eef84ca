//! At the terminal, before the person agrees: which of the verifier's alternatives, and which of several credentials that
//! would do. An empty line takes what stands in brackets: the least that is asked.

use super::asking::{claim_name, line, said};
use super::types::Names;
use crate::words::{comma, known, noted, one_line, say, text};
use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal;
use yufu_jose::{ClaimPath, PathStep};
use yufu_wallet::presentation::{Choice, Consent, ConsentCredential, Holding};

/// How often a question is asked again that was not answered.
const ATTEMPTS: usize = 3;

/// Asks at the terminal; nobody there takes the least.
pub(super) fn choose(consent: &mut Consent, names: &Names) {
    if std::io::stdin().is_terminal() {
        choose_by(consent, names, &mut |prompt| line(prompt));
    }
}

/// Asks `answer` for a line to each question, as often as it has to.
fn choose_by(consent: &mut Consent, names: &Names, answer: &mut dyn FnMut(&str) -> Option<String>) {
    for place in 0..consent.choices.len() {
        take_by(consent, (place, names), answer);
    }
    let several = consent.credentials.iter().filter(|one| one.selected && one.holdings.len() > 1);
    let ids: Vec<String> = several.map(|one| one.query_id.clone()).collect();
    for id in ids {
        pick_by(consent, (&id, names), answer);
    }
}

/// Which alternative of one choice.
fn take_by(
    consent: &mut Consent,
    (place, names): (usize, &Names),
    answer: &mut dyn FnMut(&str) -> Option<String>,
) {
    let Some(choice) = consent.choices.get(place) else { return };
    let different = different(consent, choice, names);
    let least = usize::from(choice.required);
    if different.len() <= least {
        return;
    }
    let required = choice.required;
    say!("You may choose what is shown:");
    for (number, (_, shown)) in different.iter().enumerate() {
        println!("  {:>2}  {}", number.saturating_add(1), one_line(shown));
    }
    if !required {
        println!("  {:>2}  {}", 0, known(noted!("none of it")));
    }
    let prompt = text!("Which? [{least}] ", least = least);
    let number = asked(&prompt, answer, |number| (least..=different.len()).contains(&number));
    let number = number.unwrap_or(least);
    let option = number.checked_sub(1).and_then(|at| different.get(at)).map(|(option, _)| *option);
    // What was offered is there.
    let _ = consent.take(place, option);
}

/// Which of several credentials that would do for a query.
fn pick_by(
    consent: &mut Consent,
    (id, names): (&str, &Names),
    answer: &mut dyn FnMut(&str) -> Option<String>,
) {
    let found = consent.credentials.iter().find(|one| one.query_id == id);
    let Some(ConsentCredential { multiple, holdings, .. }) = found else { return };
    let (multiple, count) = (*multiple, holdings.len());
    say!("Several of your credentials would do:");
    for (number, holding) in holdings.iter().enumerate() {
        println!("  {:>2}  {}", number.saturating_add(1), one_line(&told(holding, names)));
    }
    let places = if multiple {
        let prompt = text!("Which of them? Numbers with commas between [all] ");
        numbers(&prompt, answer, count).unwrap_or_else(|| (0..count).collect())
    } else {
        let prompt = text!("Which? [{least}] ", least = 1);
        let number = asked(&prompt, answer, |number| (1..=count).contains(&number));
        vec![number.unwrap_or(1).saturating_sub(1)]
    };
    let _ = consent.pick(id, &places);
}

/// The options of a choice that differ in what is shown, each with that: the same claims in another format are no choice.
fn different(consent: &Consent, choice: &Choice, names: &Names) -> Vec<(usize, String)> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for (place, option) in choice.options.iter().enumerate() {
        let credentials = consent.credentials.iter().filter(|one| option.contains(&one.query_id));
        let holdings = credentials.filter_map(|one| one.holdings.first());
        // By the claims' own names, whatever their issuers call them.
        let claims: BTreeMap<String, String> = holdings
            .flat_map(|holding| holding.claims.iter().map(move |(path, _)| (holding, path)))
            .map(|(holding, path)| (own_name(path), shown_name(holding, path, names)))
            .collect();
        let (mut own, mut shown): (Vec<String>, Vec<String>) = claims.into_iter().unzip();
        if own.is_empty() {
            own.push(option.join(&comma()));
            shown.clone_from(&own);
        }
        if seen.insert(own) {
            found.push((place, shown.join(&comma())));
        }
    }
    found
}

/// The name of a claim whatever its format: of an mdoc without its namespace.
fn own_name(path: &ClaimPath) -> String {
    match path.steps() {
        [PathStep::Name(namespace), PathStep::Name(element)] if is_namespace(namespace) => {
            element.clone()
        }
        _ => claim_name(path),
    }
}

/// Namespaces are names of somebody's domain; claims have no dot in theirs.
fn is_namespace(name: &str) -> bool {
    name.contains('.')
}

/// What a claim is called by its issuer; else its own name.
fn shown_name(holding: &Holding, path: &ClaimPath, names: &Names) -> String {
    names.claim(&holding.vct, path).unwrap_or_else(|| own_name(path))
}

/// What a credential would show, with values.
fn told(holding: &Holding, names: &Names) -> String {
    let name = |path: &ClaimPath| shown_name(holding, path, names);
    let claims = holding.claims.iter();
    let claims: Vec<String> =
        claims.map(|(path, values)| format!("{} = {}", name(path), said(values))).collect();
    if claims.is_empty() { names.kind(&holding.vct) } else { claims.join(&comma()) }
}

/// The number that is answered, if it `fits`; none if nothing is.
fn asked(
    prompt: &str,
    answer: &mut dyn FnMut(&str) -> Option<String>,
    fits: impl Fn(usize) -> bool,
) -> Option<usize> {
    for _ in 0..ATTEMPTS {
        let said = answer(prompt)?;
        if said.is_empty() {
            return None;
        }
        if let Some(number) = said.parse().ok().filter(|number| fits(*number)) {
            return Some(number);
        }
    }
    None
}

/// The places that are answered as numbers from 1, joined by commas; none if nothing is, or they do not fit.
fn numbers(
    prompt: &str,
    answer: &mut dyn FnMut(&str) -> Option<String>,
    count: usize,
) -> Option<Vec<usize>> {
    for _ in 0..ATTEMPTS {
        let said = answer(prompt)?;
        if said.is_empty() {
            return None;
        }
        let places: Option<BTreeSet<usize>> = said
            .split([',', ' ', '\u{ff0c}', '\u{3001}'])
            .filter(|part| !part.is_empty())
            .map(|part| part.parse::<usize>().ok()?.checked_sub(1).filter(|at| *at < count))
            .collect();
        if let Some(places) = places.filter(|places| !places.is_empty()) {
            return Some(places.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use yufu_trust::Localized;

    fn claim(path: Value, value: Value) -> (ClaimPath, Vec<Value>) {
        (serde_json::from_value(path).unwrap(), vec![value])
    }

    fn credential(id: &str, holdings: Vec<Vec<(ClaimPath, Vec<Value>)>>) -> ConsentCredential {
        let holding = |(place, claims)| Holding {
            vct: id.to_owned(),
            claims,
            copies: vec![place],
            chosen: place == 0,
        };
        ConsentCredential {
            query_id: id.to_owned(),
            selected: false,
            multiple: false,
            holdings: holdings.into_iter().enumerate().map(holding).collect(),
        }
    }

    fn choice(required: bool, options: Value) -> Choice {
        let options = serde_json::from_value(options).unwrap();
        Choice { required, options, taken: required.then_some(0) }
    }

    /// One of three by a required choice, one of which is another format of the first; and a ticket if she likes.
    fn consent() -> Consent {
        let of_age = json!(["age_equal_or_over", "60"]);
        let element = json!(["org.example.pid.1", "age_equal_or_over.60"]);
        let train = |number: &str| vec![claim(json!(["train"]), json!(number))];
        let mut credentials = vec![
            credential("pid", vec![vec![claim(of_age, json!(true))]]),
            credential("pid-mdoc", vec![vec![claim(element, json!(true))]]),
            credential("pensioner", vec![vec![claim(json!(["programme"]), json!("p"))]]),
            credential("ticket", vec![train("G1"), train("G2"), train("G3")]),
        ];
        credentials[0].selected = true;
        Consent {
            party: Localized::new("en", "x"),
            purpose: Localized::new("en", "x"),
            basis: None,
            credentials,
            choices: vec![
                choice(true, json!([["pid"], ["pid-mdoc"], ["pensioner"]])),
                choice(false, json!([["ticket"]])),
            ],
            missing: None,
            transactions: Vec::new(),
            retention_days: 0,
            keeps_evidence: false,
            privacy_policy: String::new(),
            report_uri: String::new(),
            warnings: Vec::new(),
        }
    }

    /// What is shown after these answers, and how many questions were asked.
    fn chosen(consent: &mut Consent, answers: &[&str]) -> (Vec<String>, usize) {
        let mut left = answers.iter();
        let mut questions = Vec::new();
        choose_by(consent, &Names::default(), &mut |prompt| {
            questions.push(prompt.to_owned());
            left.next().map(|answer| (*answer).to_owned())
        });
        let shown = consent.credentials.iter().flat_map(|one| {
            one.chosen().map(|holding| format!("{} {:?}", one.query_id, holding.copies))
        });
        (shown.collect(), questions.len())
    }

    #[test]
    fn an_empty_line_or_none_takes_the_least() {
        assert_eq!(chosen(&mut consent(), &["", ""]), (vec!["pid [0]".to_owned()], 2));
        assert_eq!(chosen(&mut consent(), &[]), (vec!["pid [0]".to_owned()], 2));
    }

    #[test]
    fn an_alternative_and_what_is_optional_are_taken_by_number_and_one_of_several_is_picked() {
        let (shown, questions) = chosen(&mut consent(), &["2", "1", "3"]);
        assert_eq!(shown, ["pensioner [0]", "ticket [2]"]);
        assert_eq!(questions, 3, "another format of the same is no alternative");
    }

    #[test]
    fn where_several_may_be_shown_all_are_unless_some_are_picked() {
        let mut several = consent();
        several.credentials[3].multiple = true;
        several.credentials[3].holdings.iter_mut().for_each(|holding| holding.chosen = true);
        let (shown, _) = chosen(&mut several.clone(), &["", "1", ""]);
        assert_eq!(shown, ["pid [0]", "ticket [0]", "ticket [1]", "ticket [2]"]);
        let (shown, _) = chosen(&mut several, &["", "1", "3\u{3001}1"]);
        assert_eq!(shown, ["pid [0]", "ticket [0]", "ticket [2]"]);
    }

    #[test]
    fn what_is_no_answer_is_asked_again_and_then_the_least_is_taken() {
        let (shown, questions) = chosen(&mut consent(), &["7", "x", "2", ""]);
        assert_eq!((shown, questions), (vec!["pensioner [0]".to_owned()], 4));
        let (shown, questions) = chosen(&mut consent(), &["0", "-1", "4", "0"]);
        assert_eq!((shown, questions), (vec!["pid [0]".to_owned()], 4));
    }
}
