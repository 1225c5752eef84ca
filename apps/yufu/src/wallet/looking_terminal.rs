//! Who read a person's data, told to her.

use super::holder::{Decide, Holder};
use super::looking::{Looks, WhoRead};
use super::terminal::{print, time};
use crate::words::{columns_of, comma, known, noted, text};
use anyhow::Result;
use yufu_api::looking::FileAccess;

/// Asks who read, everybody who holds data or the one party of an entry of the history, and prints it.
pub(super) async fn ask(
    holder: &mut Holder,
    shown: Option<usize>,
    json: bool,
    decide: Decide<'_>,
) -> Result<()> {
    match shown {
        Some(entry) => tell_who_looked(&holder.who_looked(entry).await?, json),
        None => tell_who_read(&holder.who_read(decide).await?, json),
    }
}

/// Prints who read, when, what, and what for.
fn tell_who_read(who: &WhoRead, json: bool) -> Result<()> {
    if json {
        return print(&[serde_json::to_string_pretty(who)?]);
    }
    let mut lines = vec![text!("Identity authority:")];
    for access in &who.authority {
        lines.push(format!("  {}  {}", time(access.at)?, reader(&access.actor, &access.role)));
        lines.extend(read(&access.fields, &access.purpose));
    }
    for bank in &who.banks {
        lines.push(text!("{bank}, account {account}:", bank = bank.bank, account = bank.account));
        if bank.accesses.is_empty() {
            lines.push(text!("  nobody looked into your file"));
        }
        lines.extend(looked(&bank.accesses)?);
    }
    print(&lines)
}

/// Prints who looked at what was shown once.
fn tell_who_looked(looks: &Looks, json: bool) -> Result<()> {
    if json {
        return print(&[serde_json::to_string_pretty(looks)?]);
    }
    let mut lines = vec![text!("{party}:", party = looks.party)];
    if looks.accesses.is_empty() {
        lines.push(text!("  nobody looked at what you showed"));
    }
    lines.extend(looked(&looks.accesses)?);
    print(&lines)
}

fn looked(accesses: &[FileAccess]) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for access in accesses {
        lines.push(format!("  {}  {}", time(access.at)?, reader(&access.actor, "")));
        lines.extend(read(&access.fields, &access.purpose));
    }
    Ok(lines)
}

/// Who read, and as what.
pub(crate) fn reader(actor: &str, role: &str) -> String {
    match (actor, role) {
        (_, "subject") | ("the holder", _) => text!("you yourself"),
        (_, "officer") => text!("{name}, an officer", name = program(actor)),
        (_, "pid-issuer" | "") => program(actor),
        (_, other) => format!("{} ({other})", program(actor)),
    }
}

/// A part of the program that read by itself; anybody else's name as it is.
fn program(actor: &str) -> String {
    match actor {
        "credential issuance" => known(noted!("the issuing of credentials")),
        "orders" => known(noted!("the check of an order")),
        "desk" => known(noted!("the desk")),
        name => name.to_owned(),
    }
}

/// The columns of a line.
const WIDE: usize = 78;

/// What was read, if anything was, and what for: lines below their reader.
fn read(fields: &[String], purpose: &str) -> Vec<String> {
    let mut lines = Vec::new();
    if !fields.is_empty() {
        let names = fields.iter().map(|field| field_named(field));
        lines.extend(folded(&text!("    read: {name}", name = ""), names, &comma()));
    }
    let reason = reason(purpose);
    let words = reason.split(' ').map(str::to_owned);
    lines.extend(folded(&text!("    for:  {purpose}", purpose = ""), words, " "));
    lines
}

/// Pieces in lines that are no wider than a terminal, unless one of them is: the first begins with `head`, the others below
/// where it ends.
fn folded(head: &str, pieces: impl Iterator<Item = String>, between: &str) -> Vec<String> {
    let below = " ".repeat(columns_of(head));
    let mut lines = Vec::new();
    let mut line = head.to_owned();
    for (place, piece) in pieces.enumerate() {
        let wide = [line.as_str(), between, &piece, between.trim_end()].map(columns_of);
        if place > 0 && wide.into_iter().fold(0, usize::saturating_add) > WIDE {
            lines.push(format!("{line}{}", between.trim_end()));
            line.clone_from(&below);
        } else if place > 0 {
            line.push_str(between);
        }
        line.push_str(&piece);
    }
    lines.push(line);
    lines
}

/// A field of a register or a file.
pub(crate) fn field_named(field: &str) -> String {
    match field {
        "resident_number" | "personal_administrative_number" => text!("resident number"),
        "family_name" => text!("family name"),
        "given_name" => text!("given name"),
        "sex" => text!("sex"),
        "birth_date" | "birthdate" => text!("date of birth"),
        "address_code" => text!("area code"),
        "region" | "address.region" => text!("province"),
        "locality" | "address.locality" => text!("district"),
        "street" | "address.street_address" => text!("street"),
        "house" | "address.house_number" => text!("house"),
        "household_id" => text!("household"),
        "relation" => text!("place in the household"),
        "issuing_country" => text!("country"),
        "address" => text!("the address"),
        "age_equal_or_over" => text!("whether of certain ages"),
        "resident_of" => text!("whether living in certain places"),
        "sector_pseudonym" => text!("pseudonyms for sectors"),
        other => derived(other).unwrap_or_else(|| other.to_owned()),
    }
}

/// A claim that says only whether something is so, or a pseudonym.
fn derived(field: &str) -> Option<String> {
    let (kind, of) = field.split_once('.')?;
    match kind {
        "age_equal_or_over" => Some(text!("whether {age} or older", age = of)),
        "resident_of" => Some(text!("whether living in {place}", place = of)),
        "sector_pseudonym" => Some(text!("pseudonym for {sector}", sector = of)),
        _ => None,
    }
}

/// What for: the program's own words, and after a colon what an officer wrote, as it was written.
pub(crate) fn reason(purpose: &str) -> String {
    let of = |start: &str, end: &str| {
        let id = purpose.strip_prefix(start)?.strip_suffix(end)?;
        (!id.contains(' ')).then(|| id.to_owned())
    };
    if let Some(id) = of("issuing the credential ", " to the person's own wallet") {
        return text!("issuing the credential {id} to your own wallet", id = id);
    }
    if let Some(id) = of("issuing the credential ", " to the account's wallet") {
        return text!("issuing the credential {id} to the wallet of your account", id = id);
    }
    if let Some(id) = of("account ", " frozen") {
        return text!("account {id} was frozen", id = id);
    }
    if let Some(id) = of("account ", " freed") {
        return text!("account {id} was freed", id = id);
    }
    for way in ["opened", "handed_over", "recovered"] {
        if let Some(id) = of("key of account ", &format!(" changed: {way}")) {
            return text!("another key commands account {id}", id = id);
        }
    }
    let whole = own(purpose);
    let Some((start, written)) = purpose.split_once(": ").filter(|_| whole == purpose) else {
        return whole;
    };
    let start = match start.strip_prefix("authentication for the credential ") {
        Some(id) => text!("you were identified for the credential {id}", id = id),
        None => own(start),
    };
    text!("{start}: {written}", start = start, written = written)
}

/// Words of the program's own.
fn own(words: &str) -> String {
    known(match words {
        "the person looked at who read the record, with her wallet" => {
            noted!("you looked at who read your record, with your wallet")
        }
        "the person froze what a wallet had got, with the key that the wallet left" => {
            noted!("you froze what a wallet had got, with the sheet of that wallet")
        }
        "the person asked for an anonymous credential, with her wallet" => {
            noted!("you asked for an anonymous credential, with your wallet")
        }
        "whether the guardian still acts for the ward" => {
            noted!("whether the guardian still acts for the ward")
        }
        "a PIN was set: it must not be in these" => {
            noted!("a PIN was set, which must not be in these")
        }
        "revocation" => noted!("revocation of your credentials"),
        "making a chip card" => noted!("making your chip card"),
        "the card is blocked" => noted!("your card is blocked"),
        "the holder of the card was checked" => noted!("the holder of the card was checked"),
        "ending a guardianship" => noted!("ending a guardianship"),
        "erasure asked for" => noted!("erasure asked for"),
        other => return other.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_is_named_as_what_it_was_and_a_purpose_keeps_what_was_written() {
        assert_eq!(reader("Lin Mei", "officer"), "Lin Mei, an officer");
        assert_eq!(reader("the person", "subject"), "you yourself");
        assert_eq!(reader("credential issuance", "pid-issuer"), "the issuing of credentials");
        assert_eq!(reader("counter 3", ""), "counter 3");
        assert_eq!(reader("the holder", ""), "you yourself");
        assert_eq!(reason("account a-1 frozen"), "account a-1 was frozen");
        let changed = "key of account a-1 changed: recovered";
        assert_eq!(reason(changed), "another key commands account a-1");
        let issued = "issuing the credential pid to the person's own wallet";
        assert_eq!(reason(issued), "issuing the credential pid to your own wallet");
        let shown = "authentication for the credential pid: card: and portrait";
        assert_eq!(reason(shown), "you were identified for the credential pid: card: and portrait");
        assert_eq!(reason("a look into the file"), "a look into the file");
        assert_eq!(reason("why: because"), "why: because");
        let pin = "a PIN was set: it must not be in these";
        assert_eq!(reason(pin), "a PIN was set, which must not be in these");
        let lines = read(&["birth_date".to_owned(), "x".to_owned()], "why");
        assert_eq!(lines, ["    read: date of birth, x", "    for:  why"]);
        assert_eq!(read(&[], "why"), ["    for:  why"], "nothing was read");
        let many: Vec<String> = (0..40).map(|age| format!("age_equal_or_over.{age}")).collect();
        let lines = read(&many, "why");
        assert!(lines.len() > 10 && lines.iter().all(|line| columns_of(line) <= WIDE));
        let long = "a reason that somebody wrote down at length ".repeat(4);
        let lines = read(&[], &long);
        assert!(lines.len() > 2 && lines.iter().all(|line| columns_of(line) <= WIDE));
        let words: Vec<&str> =
            lines.iter().flat_map(|line| line.split_whitespace()).skip(1).collect();
        assert_eq!(words.join(" "), long.trim_end(), "and nothing of it is lost");
    }
}
