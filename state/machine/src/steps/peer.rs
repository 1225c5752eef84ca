//! Other ledgers are registered, and banks say what they do for them.

use crate::books::{Books, Submitter};
use crate::outcome::Done;
use crate::refusal::Refusal;
use yufu_base::{Currency, InstitutionId, PublicKey};
use yufu_ledger::PeerNumber;
use yufu_registry::{Correspondent, Peer, Peering, Role};

impl Books {
    pub(crate) fn register_peer(
        &mut self,
        by: Submitter,
        (name, key): (&InstitutionId, PublicKey),
        (currency, peering): (Currency, &Peering),
    ) -> Result<Done, Refusal> {
        by.must_be(Role::CentralBank)?;
        let number = self.registry.check_register(name)?;
        // The last check and the first write in one: it changes nothing if it refuses.
        self.ledger.open_peer(PeerNumber(number.0), name)?;
        self.registry.register(name.clone(), Role::Peer, key)?;
        self.registry.peers_mut().put(number, Peer { currency, peering: peering.clone() });
        Ok(by.done(None))
    }

    pub(crate) fn set_peer(
        &mut self,
        by: Submitter,
        name: &InstitutionId,
        peering: &Peering,
    ) -> Result<Done, Refusal> {
        by.must_be(Role::CentralBank)?;
        let (number, peer) = self.peer_named(name)?;
        let peer = Peer { currency: peer.currency, peering: peering.clone() };
        self.registry.peers_mut().put(number, peer);
        Ok(by.done(None))
    }

    pub(crate) fn correspond(
        &mut self,
        by: Submitter,
        name: &InstitutionId,
        correspondent: Option<&Correspondent>,
    ) -> Result<Done, Refusal> {
        by.must_be(Role::Bank)?;
        let (number, _) = self.peer_named(name)?;
        let peers = self.registry.peers_mut();
        peers.set_correspondent(number, by.number, correspondent.cloned());
        Ok(by.done(None))
    }
}
