//! The status lists among which places are drawn: several of one size, so that neither a list nor a place says which
//! credentials belong together. The draws themselves tell how full the lists are: a place that is looked for long in
//! vain opens a further list.

use crate::entity::{status_entry, status_list};
use crate::status::Allocation;
use crate::{CredentialsError, DerivedFrom, to_column};
use sea_orm::sea_query::{Condition, OnConflict};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect as _, Set,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;
use yufu_database::{Database, insert_rows, padded};

/// How often one place is drawn in vain before a further list is opened: at half-full lists, one batch in thousands.
const IN_VAIN: usize = 16;
/// How many lists one drawing opens at the most: more would be a generator that draws nothing new.
const OPENED_AT_ONCE: usize = 64;
/// How many lists there are at the most: two thousand million places.
const MOST_LISTS: usize = 1 << 14;
/// How many lists one query looks at: an expression nests no deeper than SQLite reads.
const LISTS_IN_QUERY: usize = 64;

/// How places are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Herd {
    /// How many places a list has that is opened from now on.
    pub places: i32,
    /// How many lists there are at the least.
    pub lists: i32,
}

impl Default for Herd {
    fn default() -> Self {
        Self { places: 1 << 17, lists: 4 }
    }
}

/// The place of a credential's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The list's number.
    pub list: i32,
    /// The place in it.
    pub position: i32,
}

/// A list, and how many places it has.
#[derive(Clone, Copy)]
struct Shard {
    list: i32,
    places: u32,
}

/// The lists, as far as this process knows them. Another one may have opened more.
#[derive(Clone)]
pub(crate) struct Shards {
    herd: Herd,
    known: Arc<Mutex<Arc<[Shard]>>>,
    /// Whether a drawing met others since they were read.
    further: Arc<AtomicBool>,
}

impl Shards {
    /// The lists of the database; those that are missing of the herd are opened.
    pub(crate) async fn open<C: ConnectionTrait>(
        connection: &C,
        herd: Herd,
    ) -> Result<Self, CredentialsError> {
        let mut lists = read(connection).await?;
        for number in 1..=herd.lists {
            if lists.iter().all(|shard| shard.list != number) {
                insert(connection, number, herd.places).await?;
            }
        }
        lists = read(connection).await?;
        Ok(Self { herd, known: Arc::new(Mutex::new(lists.into())), further: Arc::default() })
    }

    fn known(&self) -> Arc<[Shard]> {
        Arc::clone(&self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// More lists than `known`: those that another process opened, or else one that is opened now; none if there are
    /// too many.
    async fn more<C: ConnectionTrait>(
        &self,
        connection: &C,
        known: usize,
    ) -> Result<Option<Arc<[Shard]>>, CredentialsError> {
        self.further.store(true, Ordering::Relaxed);
        let lists = read(connection).await?;
        if lists.len() > known {
            return Ok(Some(lists.into()));
        }
        if lists.len() >= MOST_LISTS {
            return Ok(None);
        }
        let next = lists.iter().map(|shard| shard.list).max().unwrap_or(0).saturating_add(1);
        insert(connection, next, self.herd.places).await?;
        Ok(Some(read(connection).await?.into()))
    }

    /// Gets to know further lists, if a drawing met some. Not before its transaction is committed: a place in a list that
    /// there is not would be nowhere.
    pub(crate) async fn committed(&self, database: &Database) {
        if !self.further.swap(false, Ordering::Relaxed) {
            return;
        }
        match read(database.connection()).await {
            Ok(lists) => *self.known.lock().unwrap_or_else(PoisonError::into_inner) = lists.into(),
            // What was drawn stands; the next drawing tries again.
            Err(_) => self.further.store(true, Ordering::Relaxed),
        }
    }
}

async fn read<C: ConnectionTrait>(connection: &C) -> Result<Vec<Shard>, CredentialsError> {
    let rows = status_list::Entity::find().order_by_asc(status_list::Column::List);
    let rows = rows.all(connection).await?.into_iter();
    Ok(rows
        .filter_map(|row| {
            let places = u32::try_from(row.places).ok().filter(|places| *places > 0)?;
            Some(Shard { list: row.list, places })
        })
        .collect())
}

async fn insert<C: ConnectionTrait>(
    connection: &C,
    list: i32,
    places: i32,
) -> Result<(), CredentialsError> {
    let row = status_list::ActiveModel { list: Set(list), places: Set(places), version: Set(0) };
    // Another process may open it at the same time.
    let known = OnConflict::column(status_list::Column::List).do_nothing().to_owned();
    status_list::Entity::insert(row).on_conflict(known).exec_without_returning(connection).await?;
    Ok(())
}

/// What is drawn for one batch.
pub(crate) struct Drawing<'d> {
    /// What is wanted.
    pub(crate) wanted: Allocation,
    /// Draws at random.
    pub(crate) draw: &'d mut (dyn FnMut() -> u32 + Send + Sync),
    /// The places that were found free: as many as are wanted, unless no further list can be opened.
    pub(crate) free: Vec<Place>,
}

impl<'d> Drawing<'d> {
    pub(crate) fn new(
        wanted: Allocation,
        draw: &'d mut (dyn FnMut() -> u32 + Send + Sync),
    ) -> Self {
        Self { wanted, draw, free: Vec::with_capacity(wanted.count) }
    }

    fn missing(&self) -> usize {
        self.wanted.count.saturating_sub(self.free.len())
    }

    /// A place of any list, each as likely as the next, taken or free.
    fn drawn(&mut self, lists: &[Shard]) -> Option<Place> {
        let all = lists.iter().fold(0_u32, |sum, shard| sum.saturating_add(shard.places));
        let mut number = (self.draw)().checked_rem(all)?;
        for shard in lists {
            match number.checked_sub(shard.places) {
                Some(rest) => number = rest,
                None => {
                    let position = i32::try_from(number).ok()?;
                    return Some(Place { list: shard.list, position });
                }
            }
        }
        None
    }
}

/// Draws free places for batches, none twice: one look at the database for all that is drawn at a time. Too few are found
/// only if no further list can be opened.
pub(crate) async fn draw_places<C: ConnectionTrait>(
    connection: &C,
    shards: &Shards,
    drawings: &mut [Drawing<'_>],
) -> Result<(), CredentialsError> {
    let mut lists = shards.known();
    let mut seen = BTreeSet::new();
    let (mut in_vain, mut opened) = (0_usize, 0_usize);
    while drawings.iter().any(|drawing| drawing.missing() > 0) {
        if in_vain == IN_VAIN {
            if opened == OPENED_AT_ONCE {
                break;
            }
            let Some(more) = shards.more(connection, lists.len()).await? else { break };
            lists = more;
            (in_vain, opened) = (0, opened.saturating_add(1));
        }
        in_vain = in_vain.saturating_add(1);
        let mut drawn: Vec<(Place, usize)> = Vec::new();
        for (index, drawing) in drawings.iter_mut().enumerate() {
            for place in (0..drawing.missing()).filter_map(|_| drawing.drawn(&lists)) {
                if seen.insert(place) {
                    drawn.push((place, index));
                }
            }
        }
        let places = drawn.iter().map(|(place, _)| *place);
        let taken: BTreeSet<Place> = taken(connection, places).await?.into_iter().collect();
        // In the order in which they were drawn: in any other a copy's place would tell which of its batch it is, and copies
        // are shown in their order.
        for (place, index) in drawn.into_iter().filter(|(place, _)| !taken.contains(place)) {
            if let Some(drawing) = drawings.get_mut(index) {
                drawing.free.push(place);
            }
        }
    }
    Ok(())
}

/// Those of these places that somebody has.
async fn taken<C: ConnectionTrait>(
    connection: &C,
    places: impl Iterator<Item = Place>,
) -> Result<Vec<Place>, CredentialsError> {
    let mut by_list: BTreeMap<i32, BTreeSet<i32>> = BTreeMap::new();
    for place in places {
        by_list.entry(place.list).or_default().insert(place.position);
    }
    let by_list: Vec<(i32, BTreeSet<i32>)> = by_list.into_iter().collect();
    let mut taken = Vec::new();
    for some in by_list.chunks(LISTS_IN_QUERY) {
        let any = some.iter().fold(Condition::any(), |any, (list, positions)| {
            let of_list = Condition::all()
                .add(status_entry::Column::List.eq(*list))
                .add(status_entry::Column::Position.is_in(padded(positions.iter().copied())));
            any.add(of_list)
        });
        let found: Vec<(i32, i32)> = status_entry::Entity::find()
            .select_only()
            .columns([status_entry::Column::List, status_entry::Column::Position])
            .filter(any)
            .into_tuple()
            .all(connection)
            .await?;
        taken.extend(found.into_iter().map(|(list, position)| Place { list, position }));
    }
    Ok(taken)
}

/// The rows of a batch's places: about whom, on what it rests, and the card behind it.
pub(crate) fn rows<'p>(
    (person, basis, derived_from): (Uuid, &'p str, Option<DerivedFrom>),
    wanted: Allocation,
    places: &'p [Place],
) -> impl Iterator<Item = status_entry::ActiveModel> + 'p {
    places.iter().map(move |place| status_entry::ActiveModel {
        list: Set(place.list),
        position: Set(place.position),
        person: Set(person.to_string()),
        issuance: Set(basis.to_owned()),
        status: Set(0),
        expires_at: Set(to_column(wanted.kept_until)),
        card: Set(derived_from.map(|from| from.card.to_string())),
    })
}

/// Places for one batch.
pub(crate) async fn allocate<C: ConnectionTrait>(
    connection: &C,
    shards: &Shards,
    about: (Uuid, &str, Option<DerivedFrom>),
    wanted: Allocation,
    draw: &mut (dyn FnMut() -> u32 + Send + Sync),
) -> Result<Vec<Place>, CredentialsError> {
    let mut drawing = [Drawing::new(wanted, draw)];
    draw_places(connection, shards, &mut drawing).await?;
    let [Drawing { free, .. }] = drawing;
    if free.len() < wanted.count {
        return Err(CredentialsError::ListFull);
    }
    insert_rows(connection, rows(about, wanted, &free).collect()).await?;
    Ok(free)
}
