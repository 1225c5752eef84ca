//! Who read a person's data, told to her.

use super::looking::WhoRead;
use super::terminal::{print, time};
use crate::words::{comma, known, noted, text};
use anyhow::Result;

/// Prints who read, when, what, and what for.
pub(super) fn tell_who_read(who: &WhoRead, json: bool) -> Result<()> {
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
        for access in &bank.accesses {
            lines.push(format!("  {}  {}", time(access.at)?, reader(&access.actor, "")));
            lines.extend(read(&access.fields, &access.purpose));
        }
    }
    print(&lines)
}

/// Who read, and as what.
fn reader(actor: &str, role: &str) -> String {
    match role {
        "subject" => text!("you yourself"),
        "officer" => text!("{name}, an officer", name = program(actor)),
        "pid-issuer" | "" => program(actor),
        other => format!("{} ({other})", program(actor)),
    }
}

/// A part of the program that read by itself; anybody else's name as it is.
fn program(actor: &str) -> String {
    match actor {
        "credential issuance" => known(noted!("the issuing of credentials")),
        "orders" => known(noted!("the check of an order")),
        name => name.to_owned(),
    }
}

/// What was read, and what for: lines below their reader.
fn read(fields: &[String], purpose: &str) -> Vec<String> {
    let names: Vec<String> = fields.iter().map(|field| named(field)).collect();
    let names = names.join(&comma());
    let what = if names.is_empty() {
        text!("    that there is a file, and nothing in it")
    } else {
        text!("    read: {names}", names = names)
    };
    vec![what, text!("    for:  {purpose}", purpose = reason(purpose))]
}

/// A field of a register or a file.
fn named(field: &str) -> String {
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
        other => other.to_owned(),
    }
}

/// What for: the program's own words, and after a colon what an officer wrote, as it was written.
fn reason(purpose: &str) -> String {
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
    }
}
