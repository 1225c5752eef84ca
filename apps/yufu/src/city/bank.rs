//! A commercial bank: opens its records, registers as a relying party, knows the central bank's address.

use super::authority::sealer;
use super::issuer::issuer;
use super::money;
use super::opening::Opening;
use super::trust::Trust;
use anyhow::Result;
use std::sync::Arc;
use yufu_api::bank::{AgeRules, Bank, InFlight, Mandates, RecordedOutbox, WalletRules};
use yufu_api::central_bank::CentralBank;
use yufu_database::Database;
use yufu_onboarding::Onboarding;
use yufu_profile::{Evidence, Institution, Profile, Role};

pub(super) async fn open(
    opening: &mut Opening<'_>,
    trust: &Trust,
    central_bank: Option<&Arc<CentralBank>>,
    institution: &Institution,
) -> Result<Bank> {
    let plan = opening.plan;
    let id = institution.id.clone();
    let profile = plan.profile();
    let database = Database::open(&plan.data.database(&id, "onboarding")?).await?;
    let sealer = Arc::new(sealer(plan, &id).await?);
    let remote = profile.wallet_classes.iter().filter(|c| c.opening.evidence == Evidence::Identity);
    let records = Onboarding::open(database, sealer).await?;
    let wallet_rules = wallet_rules(profile, records.clone());
    trust.enlist(opening, institution).await?;
    let party = trust.party(opening, institution, &format!("/banks/{id}/openid4vp")).await?;
    money::enrol(opening, central_bank, institution).await?;
    let client = opening.client.clone();
    let central_bank = plan.the(Role::CentralBank)?.id.clone();
    let ledger = format!("{}/central-bank", plan.address(&central_bank));
    Ok(Bank {
        onboards_through: institution.onboards_through.clone(),
        signer: plan.command_key(&id)?,
        issuer: issuer(plan, institution, &format!("/banks/{id}")).await?,
        operator: plan.operator(&id)?,
        records,
        party,
        trust: trust.source(client.clone()),
        client,
        central_bank: (central_bank, ledger),
        currency: profile.currency.code,
        remote_classes: remote.map(|c| (c.name.clone(), c.opening.at_most)).collect(),
        wallet_rules,
        mandates: Mandates::default(),
        in_flight: InFlight::default(),
        clock: Arc::clone(&plan.clock),
        id,
    })
}

/// What the profile says of opening wallets. No network of telephones is connected: codes lie in
/// the bank's records, for its desk to read.
fn wallet_rules(profile: &Profile, records: Onboarding) -> WalletRules {
    let classes = |kinds: &[Evidence]| {
        let classes = profile.wallet_classes.iter();
        let found = classes.filter(|class| kinds.contains(&class.opening.evidence));
        found.map(|class| (class.name.clone(), class.opening.at_most)).collect()
    };
    WalletRules {
        anonymous: classes(&[Evidence::PhoneOrToken]),
        in_person: classes(&[Evidence::Identity, Evidence::InPerson]),
        linked: classes(&[Evidence::IdentityAndAccount]),
        opening: profile.account_opening,
        key_rest_seconds: u64::from(profile.key_change_rest_hours).saturating_mul(3600),
        ages: AgeRules {
            alone: profile.account_age,
            majority: profile.majority,
            offsets: profile.utc_offsets.clone(),
        },
        numbers: profile.resident_number.clone(),
        foreign_identity: profile.foreign_identity,
        code_digits: profile.code_digits,
        codes: Box::new(RecordedOutbox(records)),
    }
}
