//! Reads a resident-number scheme from its table in `profile.toml`.

use super::{CheckRule, Field, NumberScheme};
use crate::section::{Section, Span};
use std::collections::BTreeSet;

/// Longer numbers are refused: no country has one.
const LONGEST: usize = 40;

pub(crate) fn read_scheme(mut section: Section<'_, '_, '_>) -> Option<NumberScheme> {
    let span = section.span();
    let standard = section.text("standard");
    let prefixes = section.texts("region_prefixes");
    let fields = section.tables("fields", read_field);
    let check = section.table("check").and_then(read_check);
    let prefixes = prefixes.and_then(|list| read_prefixes(&section, list));
    let layout = fields.zip(check).map(with_check_length);
    let layout = layout.filter(|(f, c)| layout_holds(&section, &span, f, c));
    section.finish();
    let (fields, check) = layout?;
    Some(NumberScheme { standard: standard?.0, fields, check, region_prefixes: prefixes? })
}

/// The check field is as long as its rule says.
fn with_check_length((mut fields, check): (Vec<Field>, CheckRule)) -> (Vec<Field>, CheckRule) {
    for field in &mut fields {
        if let Field::Check { length } = field {
            *length = check.length().max(1);
        }
    }
    (fields, check)
}

fn read_prefixes(
    section: &Section<'_, '_, '_>,
    list: Vec<(String, Span)>,
) -> Option<BTreeSet<String>> {
    let mut prefixes = BTreeSet::new();
    for (prefix, span) in list {
        if !prefix.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()) {
            section.report(&span, format!("region prefix {prefix:?}"), "digits or capital letters");
            return None;
        }
        if !prefixes.insert(prefix) {
            section.report(&span, "region prefix given twice", "each prefix once");
            return None;
        }
    }
    Some(prefixes)
}

#[derive(Clone, Copy)]
enum Kind {
    Region,
    BirthDate,
    Sequence(bool),
    Plain,
    Check,
}

fn read_field(mut section: Section<'_, '_, '_>) -> Option<Field> {
    let kind = section.word(
        "kind",
        &[
            ("region", Kind::Region),
            ("birth_date", Kind::BirthDate),
            ("sequence", Kind::Sequence(false)),
            ("sequence_odd_male", Kind::Sequence(true)),
            ("plain", Kind::Plain),
            ("check", Kind::Check),
        ],
    );
    let field = kind.and_then(|(kind, _)| match kind {
        Kind::Region => {
            let letters = section.flag("letters");
            section.whole("length").map(|length| Field::Region { length, letters })
        }
        Kind::BirthDate => Some(Field::BirthDate),
        Kind::Sequence(parity_is_sex) => {
            section.whole("length").map(|length| Field::Sequence { length, parity_is_sex })
        }
        Kind::Plain => {
            let length = section.whole("length");
            let alphabet = read_alphabet(&mut section);
            Some(Field::Plain { length: length?, alphabet: alphabet? })
        }
        // As many as the check rule has, which is read after the fields.
        Kind::Check => Some(Field::Check { length: 1 }),
    });
    let span = section.span();
    if field.as_ref().is_some_and(|f| f.length() == 0 || f.length() > LONGEST) {
        section.report(&span, "a field without or with too many characters", "1 to 40");
    }
    section.finish();
    field
}

fn read_alphabet(section: &mut Section<'_, '_, '_>) -> Option<Vec<char>> {
    let (text, span) = section.text("alphabet")?;
    let characters: BTreeSet<char> = text.chars().collect();
    if characters.len() != text.chars().count()
        || !characters.iter().all(char::is_ascii_alphanumeric)
    {
        section.report(&span, format!("alphabet {text:?}"), "ASCII letters and digits, each once");
        return None;
    }
    Some(text.chars().collect())
}

fn read_check(mut section: Section<'_, '_, '_>) -> Option<CheckRule> {
    #[derive(Clone, Copy)]
    enum Rule {
        Weighted,
        Luhn,
        Mod97,
        None,
    }
    let rules = [
        ("weighted-modulus", Rule::Weighted),
        ("luhn", Rule::Luhn),
        ("mod-97-10", Rule::Mod97),
        ("none", Rule::None),
    ];
    let rule = section.word("kind", &rules).and_then(|(rule, _)| match rule {
        Rule::Luhn => Some(CheckRule::Luhn),
        Rule::Mod97 => Some(CheckRule::Mod97),
        Rule::None => Some(CheckRule::None),
        Rule::Weighted => {
            let weights = section.list("weights", |s, item| s.as_whole::<u32>("weights", item));
            let alphabet = read_alphabet(&mut section);
            Some(CheckRule::WeightedModulus { weights: weights?, alphabet: alphabet? })
        }
    });
    section.finish();
    rule
}

fn layout_holds(
    section: &Section<'_, '_, '_>,
    span: &Span,
    fields: &[Field],
    check: &CheckRule,
) -> bool {
    let length = fields.iter().map(Field::length).fold(0, usize::saturating_add);
    let checks = fields.iter().filter(|f| matches!(f, Field::Check { .. })).count();
    let wanted = usize::from(*check != CheckRule::None);
    let ends_with_check = matches!(fields.last(), Some(Field::Check { .. }));
    if length > LONGEST {
        section.report(span, format!("numbers of {length} characters"), "at most 40");
    } else if checks != wanted || (wanted == 1 && !ends_with_check) {
        let expected = "one check field, the last, exactly if there is a check rule";
        section.report(span, format!("{checks} check fields"), expected);
    } else if let CheckRule::WeightedModulus { weights, .. } = check
        && weights.len() != length.saturating_sub(1)
    {
        let expected = format!("{} weights, one per character before", length.saturating_sub(1));
        section.report(span, format!("{} weights", weights.len()), &expected);
    } else {
        return true;
    }
    false
}
