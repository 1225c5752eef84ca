//! The stable code of each rule, and which refusals are remembered.

use super::{LimitKind, Refusal};

impl Refusal {
    /// The stable code of the rule, in words.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "a flat list, one line for each rule")]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotOpen => "ledger.not_open",
            Self::SubmitterUnknown(_) => "command.submitter_unknown",
            Self::KeyNotCurrent(_) => "command.key_not_current",
            Self::IdExpired { .. } => "command.id_expired",
            Self::IdFromFuture { .. } => "command.id_from_future",
            Self::IdReused => "command.id_reused",
            Self::AlreadyOpen => "ledger.already_open",
            Self::NotPermitted { .. } => "command.not_permitted",
            Self::InstitutionRegistered(_) => "institution.registered",
            Self::InstitutionUnknown(_) => "institution.unknown",
            Self::NotABank(_) => "institution.not_a_bank",
            Self::ClassUnknown(_) => "class.unknown",
            Self::ClassRemoved(_) => "policy.class_removed",
            Self::NoDormancy => "policy.no_dormancy",
            Self::AccountExists(_) => "account.exists",
            Self::AccountUnknown(_) => "account.unknown",
            Self::OtherBank(_) => "account.other_bank",
            Self::AccountClosed(_) => "account.closed",
            Self::AccountDormant(_) => "account.dormant",
            Self::NotDormant(_) => "account.not_dormant",
            Self::MovedLately { .. } => "account.moved_lately",
            Self::IsSubWallet(_) => "account.is_sub_wallet",
            Self::NotSubWallet(_) => "account.not_sub_wallet",
            Self::TooManySubWallets(_) => "account.too_many_sub_wallets",
            Self::HasSubWallets(_) => "account.has_sub_wallets",
            Self::SubLimitWider(_) => "sub_wallet.limit_wider",
            Self::OtherPayee(_) => "sub_wallet.other_payee",
            Self::ClassUnchanged(_) => "class.unchanged",
            Self::NotEmpty(_) => "account.not_empty",
            Self::SameAccount => "transfer.same_account",
            Self::AmountZero => "transfer.amount_zero",
            Self::CurrencyDiffers { .. } => "transfer.currency_differs",
            Self::InsufficientFunds { .. } => "transfer.insufficient_funds",
            Self::OutOfRange(_) => "transfer.out_of_range",
            Self::LimitExceeded(exceeded) => match exceeded.kind {
                LimitKind::Single => "transfer.limit_exceeded.single",
                LimitKind::Daily => "transfer.limit_exceeded.daily",
                LimitKind::Yearly => "transfer.limit_exceeded.yearly",
                LimitKind::Balance => "transfer.limit_exceeded.balance",
                LimitKind::Aggregate => "transfer.limit_exceeded.aggregate",
                LimitKind::SubSingle => "sub_wallet.limit_exceeded.single",
                LimitKind::SubDaily => "sub_wallet.limit_exceeded.daily",
                LimitKind::SubBalance => "sub_wallet.limit_exceeded.balance",
                LimitKind::NotesSingle => "notes.limit_exceeded.single",
                LimitKind::NotesDaily => "notes.limit_exceeded.daily",
                LimitKind::NotesYearly => "notes.limit_exceeded.yearly",
                LimitKind::NotesRedeemed => "notes.limit_exceeded.redemption",
            },
            Self::PayeeFull => "transfer.payee_full",
            Self::Full => "ledger.full",
            Self::NotInForce { .. } => "ledger.version_not_in_force",
            Self::NotNextVersion(_) => "ledger.version_not_next",
            Self::ChainRefused { .. } => "command.chain_refused",
            Self::NoDeadlines => "policy.no_deadlines",
            Self::Deadline { .. } => "transfer.deadline",
            Self::TransferUnknown(_) => "transfer.unknown",
            Self::NotYours(_) => "transfer.not_yours",
            Self::HoldUnknown(_) => "hold.unknown",
            Self::FreezeUnknown(_) => "freeze.unknown",
            Self::FreezeInForce(_) => "freeze.in_force",
            Self::SameAuthority(_) => "freeze.same_authority",
            Self::AccountFrozen(_) => "account.frozen",
            Self::HasHolds(_) => "account.has_holds",
            Self::MoreThanTransferred { .. } => "transfer.more_than_transferred",
            Self::MoreThanHeld { .. } => "hold.more_than_held",
            Self::NotAPeer(_) => "institution.not_a_peer",
            Self::OtherLedger(_) => "transit.other_ledger",
            Self::PeerClosed(_) => "transit.peer_closed",
            Self::TransitUnknown(_) => "transit.unknown",
            Self::TransitSettled(_) => "transit.settled",
            Self::TransitDiffers(_) => "transit.differs",
            Self::TransitAhead { .. } => "transit.ahead",
            Self::TransitsUnsettled(_) => "transit.unsettled",
            Self::NoOffer(_) => "transit.no_offer",
            Self::PeerCurrency { .. } => "transit.currency_differs",
            Self::OfferedLess { .. } => "transit.offered_less",
            Self::TooManyInTransit(_) => "transit.too_many",
            Self::NoNoteRules => "notes.no_rules",
            Self::Keyset(error) => error.code(),
            Self::Notes(error) => error.code(),
            Self::NotesUneven { .. } => "notes.uneven",
            Self::NotRegisteredPayee(_) => "notes.not_registered_payee",
        }
    }

    /// Whether it was given before the command was admitted, or time cures it, and so is not
    /// remembered.
    #[must_use]
    pub const fn before_admission(&self) -> bool {
        matches!(
            self,
            Self::NotOpen
                | Self::SubmitterUnknown(_)
                | Self::KeyNotCurrent(_)
                | Self::IdExpired { .. }
                | Self::IdFromFuture { .. }
                | Self::IdReused
                | Self::NotInForce { .. }
                | Self::TransitAhead { .. }
                | Self::TransitsUnsettled(_)
        )
    }
}
