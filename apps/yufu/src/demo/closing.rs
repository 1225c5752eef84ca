//! What is said once the journey is over: where the money is, how fast it was, what to look at next.

use super::report::{Report, major};
use super::stage::Stage;
use crate::command_line;
use crate::profile::Country;
use crate::wallet::Passphrase;
use crate::words::{WIDE, columns_of, folded, padded, text};
use anyhow::Result;
use yufu_api::central_bank::SupplyReport;
use yufu_profile::Role;

/// Columns of a row of the money, and of what stands before what it means.
const ROW: usize = 28;
const HINT: usize = 32;

/// Tells a person what it came to.
pub(super) fn tell(
    report: &Report,
    options: &command_line::Demo,
    country: &Country,
    stage: &Stage,
) -> Result<()> {
    if let Some(supply) = &report.supply {
        println!("\n{}", money(supply, country.profile.currency.decimals).join("\n"));
    }
    println!("\n{}", folded("", "", &report.speed.told()).join("\n"));
    let outcome = if report.ok {
        text!("Every step did what it must.")
    } else {
        text!("A step failed: see above.")
    };
    println!("\n{outcome}");
    if !options.once {
        println!("\n{}", next(options, country, stage)?.join("\n"));
    }
    Ok(())
}

/// How much money there is, and in which form.
fn money(supply: &SupplyReport, decimals: u8) -> Vec<String> {
    let row =
        |form: String, minor| format!("  {}{:>24}", padded(&form, ROW), major(minor, decimals));
    vec![
        text!("Money, in {currency}:", currency = supply.currency),
        row(text!("issued by the central bank"), supply.issued),
        row(text!("= reserves"), supply.reserves),
        row(text!("+ notes in vaults"), supply.paper_in_vaults),
        row(text!("+ notes in circulation"), supply.paper_in_circulation),
        row(text!("+ digital cash in vaults"), supply.digital_in_vaults),
        row(text!("+ digital cash in wallets"), supply.digital_in_wallets),
        row(text!("+ digital cash in notes"), supply.digital_in_notes),
        row(text!("+ in flight"), supply.in_flight),
        if supply.balanced {
            format!("  {}", text!("it balances"))
        } else {
            format!("  {}", text!("IT DOES NOT BALANCE"))
        },
    ]
}

/// What there is to look at while it runs.
fn next(options: &command_line::Demo, country: &Country, stage: &Stage) -> Result<Vec<String>> {
    let url = &stage.url;
    let ledger = stage.address(country, Role::CentralBank)?;
    let data = options.data.data.as_ref();
    let data = data.map(|folder| format!(" --data {}", folder.display())).unwrap_or_default();
    let at = if *url == command_line::USUAL_URL { String::new() } else { format!(" --url {url}") };
    let wallet = text!("her wallet; passphrase {passphrase}", passphrase = Passphrase::OF_THE_DEMO);
    let mut lines = vec![text!("Still running. Look at:")];
    lines.extend(hint(&format!("{url}/"), &text!("what runs here")));
    lines.extend(hint(&format!("{url}/docs"), &text!("the API, to read and to try")));
    lines.extend(hint(&format!("{ledger}/central-bank/v1/supply"), ""));
    lines.extend(hint(&format!("yufu wallet --as resident-0{data}{at} show"), &wallet));
    lines.extend(hint(&format!("yufu audit{data}"), &text!("the books, recomputed from the log")));
    let end =
        text!("Ctrl-C stops it; the state stays, and the next demo goes on with another resident.");
    lines.extend(folded("", "", &end));
    Ok(lines)
}

/// An address or a command, which stays whole, and what it is for: beside it, or below it where that is too wide.
fn hint(what: &str, meaning: &str) -> Vec<String> {
    let line = format!("  {}  {meaning}", padded(what, HINT));
    if columns_of(line.trim_end()) <= WIDE {
        return vec![line.trim_end().to_owned()];
    }
    vec![format!("  {what}"), format!("      {meaning}")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_address_is_for_stands_beside_it_or_below_it() {
        let beside = hint("http://localhost:8080/docs", "to read");
        assert_eq!(beside, ["  http://localhost:8080/docs        to read"]);
        let long = "yufu wallet --as resident-0 --data /a/folder/somewhere/far/away show";
        assert_eq!(hint(long, "her wallet"), [&format!("  {long}"), "      her wallet"]);
        assert_eq!(hint("/supply", ""), ["  /supply"]);
    }
}
