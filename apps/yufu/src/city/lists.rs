//! Status lists, kept fresh for every party here that asks: each on its own, as if it ran alone.

use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::task::JoinSet;
use yufu_api::Institutions;
use yufu_api::issuer::Issuer;
use yufu_api::relying_party::Service;
use yufu_api::trust::TrustSource;
use yufu_engine::Clock;
use yufu_keys::InUse;
use yufu_trust::Role;

/// What looks after the lists of the parties here; it ends with what is returned.
pub(super) fn keep_fresh(here: &Institutions) -> JoinSet<()> {
    let mut looking = JoinSet::new();
    let mut after = |trust: &TrustSource, roles: BTreeSet<Role>, clock: &Arc<dyn Clock>| {
        if !roles.is_empty() {
            looking.spawn(trust.clone().keep_lists_fresh(roles, Arc::clone(clock)));
        }
    };
    for bank in here.banks.values() {
        after(&bank.trust, bank.party.get().issuer_roles(), &bank.clock);
    }
    for party in here.relying_parties.values() {
        after(&party.trust, party.party.get().issuer_roles(), &party.clock);
    }
    for party in here.verifying_parties.values() {
        after(&party.trust, party.party.get().issuer_roles(), &party.clock);
    }
    for agency in here.agencies.values() {
        after(&agency.trust, agency.party.get().issuer_roles(), &agency.clock);
    }
    for provider in here.openid_providers.values() {
        after(&provider.trust, provider.party.get().issuer_roles(), &provider.clock);
    }
    if let Some(authority) = &here.authority {
        let look = &authority.own_look;
        after(&look.trust, look.party.get().issuer_roles(), &authority.clock);
        #[cfg(feature = "zero-knowledge")]
        if let Some(anonymous) = &authority.anonymous {
            after(&anonymous.trust, anonymous.party.get().issuer_roles(), &authority.clock);
        }
    }
    for issuer in issuers(here) {
        let haip = issuer.haip.as_ref().map(InUse::get);
        if let Some(haip) = &haip
            && let Some(desk) = &haip.sign_in
        {
            after(&haip.trust, desk.party.issuer_roles(), &issuer.clock);
        }
    }
    looking
}

/// Whoever issues here.
fn issuers(here: &Institutions) -> Vec<&Issuer> {
    let mut all: Vec<&Issuer> = here.banks.values().map(|bank| &bank.issuer).collect();
    all.extend(here.agencies.values().filter_map(|agency| agency.issuer.as_deref()));
    all.extend(here.relying_parties.values().filter_map(|party| match &party.service {
        Service::Railway(issuer) => Some(&**issuer),
        Service::Hotel => None,
    }));
    all.extend(here.authority.iter().map(|authority| &authority.issuer));
    all
}
