//! How the whole state is written down: as the version in force has it, so that a state of an older
//! version has the hash that the builds of its time gave it.

use crate::books::Books;
use crate::freezes::Freezes;
use crate::links::{Link, Links};
use crate::machine::Machine;
use crate::memory::Memory;
use crate::notes::Notes;
use borsh::{BorshDeserialize, BorshSerialize};
use std::io::{self, BufWriter, Write as _};
use yufu_base::{CommandId, Currency, Digest, Snapshot, StateMachine as _};
use yufu_ledger::{Hold, PeerNumber};
use yufu_registry::{Deadlines, Peers};

/// What the second version of the state added.
#[derive(BorshSerialize, BorshDeserialize)]
struct Added {
    holds: Vec<(CommandId, Hold)>,
    deadlines: Option<Deadlines>,
    freezes: Freezes,
}

/// What the third version of the state added.
#[derive(Default, BorshSerialize, BorshDeserialize)]
struct Between {
    peers: Peers,
    links: Links,
}

impl Machine {
    /// Its hash, in the context of its version.
    pub(crate) fn hash(&self) -> Digest {
        let context = match self.version {
            1 => "yufu machine state v1",
            2 => "yufu machine state v2",
            3 => "yufu machine state v3",
            _ => "yufu machine state v4",
        };
        hashed(context, |writer| self.write_body(writer))
    }

    /// The digest of everything but the memory of command ids: a refused command leaves it as
    /// it was.
    #[must_use]
    pub fn books_hash(&self) -> Digest {
        hashed("yufu machine books", |writer| {
            self.books.serialize(writer)?;
            self.added().serialize(writer)?;
            self.between().serialize(writer)?;
            self.notes().serialize(writer)
        })
    }

    fn write_body<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        self.books.serialize(writer)?;
        self.memory.write((self.version, currency(self.books.as_ref())), writer)?;
        match self.version {
            1 => Ok(()),
            version => {
                version.serialize(writer)?;
                self.added().serialize(writer)?;
                if version > 2 {
                    self.between().serialize(writer)?;
                }
                if version > 3 { self.notes().serialize(writer) } else { Ok(()) }
            }
        }
    }

    fn added(&self) -> Option<Added> {
        let books = self.books.as_ref()?;
        Some(Added {
            holds: books.ledger.holds().map(|(id, hold)| (id, *hold)).collect(),
            deadlines: books.registry.deadlines().copied(),
            freezes: books.freezes.clone(),
        })
    }

    /// What the fourth version of the state added.
    fn notes(&self) -> Option<&Notes> {
        self.books.as_ref().map(|books| &books.notes)
    }

    fn between(&self) -> Between {
        self.books.as_ref().map_or_else(Between::default, |books| Between {
            peers: books.registry.peers().clone(),
            links: books.links.clone(),
        })
    }
}

impl Snapshot for Machine {
    fn write_state(&self, mut writer: &mut dyn io::Write) -> io::Result<()> {
        self.version.serialize(&mut writer)?;
        self.write_body(&mut writer)
    }

    fn read_state(mut reader: &mut dyn io::Read) -> io::Result<Self> {
        let reader = &mut reader;
        let version = u16::deserialize_reader(reader)?;
        if !(1..=Self::VERSION).contains(&version) {
            return Err(invalid(format!(
                "the state is of version {version}, this build knows 1 to {}",
                Self::VERSION
            )));
        }
        let mut books = Option::<Books>::deserialize_reader(reader)?;
        let memory = Memory::read((version, currency(books.as_ref())), reader)?;
        if version > 1 {
            let again = u16::deserialize_reader(reader)?;
            let added = Option::<Added>::deserialize_reader(reader)?;
            match (&mut books, added) {
                (Some(books), Some(added)) if again == version => added.put_into(books)?,
                (None, None) if again == version => {}
                _ => return Err(invalid("the parts of the state do not fit together".to_owned())),
            }
        }
        if version > 2 {
            let between = Between::deserialize_reader(reader)?;
            if let Some(books) = &mut books {
                between.put_into(books)?;
            }
        }
        if version > 3 {
            let notes = Option::<Notes>::deserialize_reader(reader)?;
            let fit = match (&mut books, notes) {
                (Some(books), Some(notes)) => notes.put_into(books),
                (None, None) => true,
                _ => false,
            };
            if !fit {
                return Err(invalid("bearer notes are nobody's, or unbacked".to_owned()));
            }
        }
        let known = match &books {
            Some(books) => memory.fits(&books.ledger),
            None => memory.len() == 0,
        };
        if !known {
            return Err(invalid("a transfer that is remembered is between no wallets".to_owned()));
        }
        if reader.read(&mut [0])? != 0 {
            return Err(invalid("there are bytes beyond the state".to_owned()));
        }
        Ok(Self::restored(version, books, memory))
    }
}

impl Added {
    fn put_into(self, books: &mut Books) -> io::Result<()> {
        let holds = self.holds.iter().all(|(_, hold)| books.ledger.is_hold(hold));
        if !holds || !self.freezes.wallets().all(|wallet| books.ledger.is_wallet(wallet)) {
            return Err(invalid("a hold or a freeze is of no wallet".to_owned()));
        }
        books.ledger.restore_holds(self.holds);
        books.registry.set_deadlines(self.deadlines);
        for wallet in self.freezes.frozen() {
            books.ledger.set_frozen(wallet, true);
        }
        books.freezes = self.freezes;
        Ok(())
    }
}

impl Between {
    fn put_into(self, books: &mut Books) -> io::Result<()> {
        let wrong = || invalid("a peer, or what is on its way to one, is of nobody".to_owned());
        for (number, _) in self.peers.iter() {
            let name = books.registry.name(number).ok_or_else(wrong)?;
            if !books.ledger.restore_peer(PeerNumber(number.0), name) {
                return Err(wrong());
            }
        }
        let sent = |link: &Link| link.unresolved.values().map(|one| one.flight).collect::<Vec<_>>();
        for (number, link) in &self.links {
            let flights = sent(link);
            let known = flights.iter().all(|flight| books.ledger.is_flight(flight));
            if self.peers.get(*number).is_none() || !known || !link.fits() {
                return Err(wrong());
            }
            for flight in &flights {
                books.ledger.keep_room(flight);
            }
        }
        *books.registry.peers_mut() = self.peers;
        books.links = self.links;
        Ok(())
    }
}

/// The ledger's currency; without books there is no amount that would be in one.
fn currency(books: Option<&Books>) -> Currency {
    books.map_or(Currency::NONE, |books| books.currency)
}

fn invalid(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[expect(
    clippy::expect_used,
    reason = "INVARIANT: a hasher takes every write, and no part of the state has 2^32 elements"
)]
fn hashed(
    context: &str,
    write: impl FnOnce(&mut BufWriter<&mut blake3::Hasher>) -> io::Result<()>,
) -> Digest {
    let mut hasher = blake3::Hasher::new_derive_key(context);
    let mut writer = BufWriter::with_capacity(1 << 16, &mut hasher);
    write(&mut writer).expect("a hasher takes every write");
    writer.flush().expect("a hasher takes every write");
    drop(writer);
    Digest(hasher.finalize().into())
}
