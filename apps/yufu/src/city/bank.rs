//! A commercial bank: opens its records, registers as a relying party, knows the central bank's address.

use super::Plan;
use super::authority::sealer;
use super::issuer::issuer;
use super::money;
use super::opening::Opening;
use super::trust::Trust;
use anyhow::Result;
use std::sync::Arc;
use yufu_api::bank::{
    AgeRules, Bank, InFlight, KeysetTerms, Mandates, Mint, MintSetting, RecordedOutbox, TopUpTerms,
    WalletRules,
};
use yufu_api::central_bank::CentralBank;
use yufu_api::relying_party::HeldAnswers;
use yufu_api::signing::HeldKey;
use yufu_base::InstitutionId;
use yufu_database::Database;
use yufu_onboarding::Onboarding;
use yufu_profile::{Evidence, Institution, Profile, Role};
use yufu_returns::Returns;

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
    let held = HeldAnswers::new(Returns::open(database.clone()).await?);
    let sealer = Arc::new(sealer(plan, &id).await?);
    let remote = profile.wallet_classes.iter().filter(|c| c.opening.evidence == Evidence::Identity);
    let records = Onboarding::open(database, sealer).await?;
    // A file of keys from a backup may have brought somebody back.
    records.erase_again().await?;
    let wallet_rules = wallet_rules(profile, records.clone());
    trust.enlist(opening, institution).await?;
    let party = trust.party(opening, institution, &format!("/banks/{id}/openid4vp")).await?;
    money::enrol(opening, central_bank, institution).await?;
    let client = opening.client.clone();
    let central_bank = plan.the(Role::CentralBank)?.id.clone();
    let ledger = format!("{}/central-bank", plan.address(&central_bank));
    let mint = mint(plan, institution)?;
    Ok(Bank {
        mint,
        onboards_through: institution.onboards_through.clone(),
        commands: HeldKey::new(plan.command_key(&id)?),
        issuer: issuer(opening, trust, institution, &format!("/banks/{id}")).await?,
        operator: plan.operator(&id)?,
        records,
        party: party.into(),
        held,
        trust: trust.source(plan, &institution.id, client.clone())?,
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

/// The bank's mint, if the country has bearer notes. Its address stands below the bank's own.
fn mint(plan: &Plan<'_>, institution: &Institution) -> Result<Option<Mint>> {
    let profile = plan.profile();
    let Some(notes) = &profile.bearer_notes else { return Ok(None) };
    let address = |id: &InstitutionId| format!("{}/banks/{id}/mint", plan.address(id));
    let others = profile.institutions_of(Role::CommercialBank).map(|bank| &bank.id);
    let others = others.filter(|id| **id != institution.id);
    let mint = Mint::new(MintSetting {
        currency: profile.currency.code.to_string(),
        address: address(&institution.id),
        name: institution.name.en().to_owned(),
        terms: KeysetTerms {
            denominations: notes.denominations,
            input_fee_ppk: notes.input_fee_ppk,
            validity_days: notes.validity_days,
            payees_alone: notes.payees_alone,
        },
        bolt11: notes.bolt11,
        top_ups: top_ups(plan),
        seed: plan.data.keys(&institution.id)?.master("mint")?,
        others: others.map(|id| (id.to_string(), address(id))).collect(),
    })?;
    Ok(Some(mint))
}

/// What anonymous top-ups are like, if the country has them.
fn top_ups(plan: &Plan<'_>) -> Option<TopUpTerms> {
    let profile = plan.profile();
    let (allowance, epoch) = profile.allowance.as_ref().zip(profile.pseudonym_epoch)?;
    let provider = &allowance.provider;
    let at = plan.address(provider);
    Some(TopUpTerms {
        batch: allowance.batch,
        most: allowance.top_up.minor(),
        class: allowance.class.clone(),
        epoch,
        discovery: format!("{at}/openid/{provider}/.well-known/openid-configuration"),
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
