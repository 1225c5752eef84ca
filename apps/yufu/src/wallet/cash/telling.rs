//! What notes there are, in the person's words.

use super::taking::Taken;
use crate::wallet::holder::Holder;
use crate::wallet::terminal::time;
use crate::words::{sum, text};
use anyhow::Result;
use yufu_purse::delay::standard_sums;
use yufu_purse::{Purse, Standing};

impl Holder {
    /// What the bank learns of a withdrawal and could infer from it, before it is made.
    pub(super) fn told_of_withdrawal(&self, minor: u64) -> Result<Vec<String>> {
        let bank = self.acting()?.bank.clone();
        let currency = self.currency_here()?;
        let digits = self.decimals().get(currency.code()).copied().unwrap_or_default();
        let mut lines = vec![
            text!(
                "{bank} learns that your account withdraws {amount} now. It signs the notes without seeing them: it cannot recognise one that comes back.",
                bank = bank,
                amount = sum(&self.money_here(minor)?)
            ),
            text!(
                "From the time it could guess, so the notes rest a while, for so long as nobody knows beforehand."
            ),
        ];
        let sums = standard_sums(digits);
        if !sums.contains(&minor) {
            let sums = sums.map(|one| self.money_here(one).map(|told| sum(&told)));
            let sums = sums.into_iter().collect::<Result<Vec<_>>>()?.join(" / ");
            lines.push(text!(
                "From the amount it could guess too: others withdraw {sums}. Who pays about as much as you withdraw may be you.",
                sums = sums
            ));
        }
        Ok(lines)
    }

    /// All notes, and what is under way.
    pub(super) fn told_of_cash(&self) -> Result<Vec<String>> {
        let now = self.now().seconds();
        let purse = self.purse()?;
        let money = |minor| self.money_here(minor).map(|told| sum(&told));
        let mut lines = Vec::new();
        for holding in purse.holdings(now) {
            let bank = self.bank_of(&holding.mint).unwrap_or_else(|_| holding.mint.clone());
            lines.push(text!(
                "{bank}: {ready} ready, {resting} resting, {busy} under way",
                bank = bank,
                ready = money(holding.ready)?,
                resting = money(holding.resting)?,
                busy = money(holding.under_way)?
            ));
            if let Some(at) = holding.rested_at {
                lines.push(text!("  rested by {time}", time = time(at)?));
            }
        }
        for id in purse.under_way() {
            let Some(given) = purse.given(id) else {
                lines.push(text!("{number}: under way, `settle` goes on with it", number = id));
                continue;
            };
            let left = money(given.left)?;
            lines.push(match given.refundable_after {
                Some(after) => text!(
                    "{number}: paid, {left} not taken yet, locked to the payee until {time}",
                    number = id,
                    left = left,
                    time = time(after)?
                ),
                None => text!("{number}: paid, {left} not taken yet", number = id, left = left),
            });
        }
        lines.extend(self.told_of_offline(purse, now)?);
        for expiring in purse.expiring() {
            let (amount, at) = (money(expiring.amount)?, time(expiring.at)?);
            lines.push(if expiring.at > now {
                text!(
                    "{amount} is worth nothing from {time} on: `settle` changes it in time",
                    amount = amount,
                    time = at
                )
            } else {
                text!("{amount} is worth nothing any more since {time}", amount = amount, time = at)
            });
        }
        Ok(lines)
    }

    /// Each note that was taken without network, with its deadline, and all of them together.
    fn told_of_offline(&self, purse: &Purse, now: u64) -> Result<Vec<String>> {
        let money = |minor| self.money_here(minor).map(|told| sum(&told));
        let mut lines = Vec::new();
        for note in purse.offline() {
            let amount = money(note.amount())?;
            lines.push(match note.standing(now) {
                Standing::Safe => text!("{amount} taken without network: safe", amount = amount),
                Standing::Pending { until } => text!(
                    "{amount} taken without network: pending, collect it with `settle` before {time}",
                    amount = amount,
                    time = time(until)?
                ),
                Standing::AtRisk { .. } => text!(
                    "{amount} taken without network: at risk, its payer can spend it too",
                    amount = amount
                ),
            });
        }
        if !lines.is_empty() {
            let taken = Taken::of(purse.offline().iter(), now);
            lines.push(text!(
                "taken without network in all: {safe} safe, {pending} pending, {risk} at risk",
                safe = money(taken.safe)?,
                pending = money(taken.pending)?,
                risk = money(taken.at_risk)?
            ));
            if let Some(until) = taken.until {
                lines
                    .push(text!("the first is to be collected before {time}", time = time(until)?));
            }
        }
        let limit = self.risk_limit();
        if limit > 0 {
            lines.push(told_limit(&money(limit)?));
        }
        Ok(lines)
    }

    /// What was just taken without network: how safe it is, until when, and what to do.
    pub(super) fn told_of_taken(&self, taken: &Taken) -> Result<Vec<String>> {
        let money = |minor| self.money_here(minor).map(|told| sum(&told));
        let mut lines =
            vec![text!("Taken without network: {amount}.", amount = money(taken.sum())?)];
        if let Some(until) = taken.until {
            lines.push(text!(
                "{amount} of it is pending: nobody else can spend it until {time}. Collect it with `yufu wallet cash settle` before.",
                amount = money(taken.pending)?,
                time = time(until)?
            ));
        }
        if taken.safe > 0 {
            lines.push(text!(
                "{amount} of it is safe: nobody else can spend it. `yufu wallet cash settle` collects it.",
                amount = money(taken.safe)?
            ));
        }
        if taken.at_risk > 0 {
            lines.push(text!(
                "{amount} of it is at risk: its payer can spend it too, until you have collected it with `yufu wallet cash settle`.",
                amount = money(taken.at_risk)?
            ));
        }
        Ok(lines)
    }
}

/// What may be taken at a risk.
pub(super) fn told_limit(limit: &str) -> String {
    text!(
        "without network up to {limit} in all is taken in notes that are not locked to this wallet",
        limit = limit
    )
}
