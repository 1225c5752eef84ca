//! Steps decided and written as sets: what all of them touch is read once, each is decided in memory, and what they
//! come to is written once. A step that touches what another one of the group touches, or that does what is rare, is
//! left to be done alone, after them.

use crate::entity::{grant, issuance};
use crate::issuance::row;
use crate::marker::{Marker, used};
use crate::once::{Done, Step, What, stands};
use crate::pseudonym::{Pseudonym, Registered, row as pseudonym_row};
use crate::shards::{Drawing, Shards, draw_places, rows};
use crate::{CredentialsError, Issuance};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect as _};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;
use yufu_database::{insert_rows, padded};

type Answer = Result<Done, CredentialsError>;

/// A step, and what was decided.
struct Planned<'s> {
    step: &'s mut Step,
    /// What its markers are kept under.
    names: Vec<String>,
    /// Whether it may be decided with the others.
    apart: bool,
    answer: Option<Answer>,
}

/// What a step writes, and no other step of the set may.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Touched<'s> {
    Marker(&'s str),
    Grant(&'s str),
    Issuance(Uuid),
    Pseudonyms(Uuid),
    Pseudonym(&'s str, &'s [u8]),
}

/// The answers to the steps that could be done as a set; the others are still to be done.
pub(crate) async fn perform<C: ConnectionTrait>(
    connection: &C,
    shards: &Shards,
    steps: &mut [Step],
) -> Result<Vec<Option<Answer>>, CredentialsError> {
    let plan = |step| Planned { step, names: Vec::new(), apart: false, answer: None };
    let mut planned: Vec<Planned<'_>> = steps.iter_mut().map(plan).collect();
    for one in &mut planned {
        one.names = one.step.markers.iter().map(Marker::name).collect();
    }
    set_apart(&mut planned);
    let known = Known::read(connection, &planned).await?;
    for one in planned.iter_mut().filter(|one| one.apart) {
        one.answer = known.decide(one);
    }
    place(connection, shards, &mut planned).await?;
    write(connection, &known, &planned).await?;
    Ok(planned.into_iter().map(|one| one.answer).collect())
}

/// Tells which steps share nothing with those before them.
fn set_apart(planned: &mut [Planned<'_>]) {
    let mut claimed = BTreeSet::new();
    let apart: Vec<bool> = planned.iter().map(|one| one.claims(&mut claimed)).collect();
    for (one, apart) in planned.iter_mut().zip(apart) {
        one.apart = apart;
    }
}

impl Planned<'_> {
    /// Claims all that it writes; whether nothing of it was claimed, and it is nothing rare.
    fn claims<'p>(&'p self, claimed: &mut BTreeSet<Touched<'p>>) -> bool {
        let mut touched: Vec<Touched<'p>> =
            self.names.iter().map(|name| Touched::Marker(name)).collect();
        let mut common = true;
        match &self.step.what {
            What::Spend { .. } => {}
            What::Take { from, .. } => touched.push(Touched::Issuance(from.id)),
            What::Grant(new) => touched.push(Touched::Grant(&new.id)),
            What::Issue(batch) => {
                common = batch.check.is_none();
                if !batch.pseudonyms.is_empty() {
                    touched.push(Touched::Pseudonyms(batch.person));
                }
                let each =
                    |one: &'p Pseudonym| Touched::Pseudonym(one.sector.as_str(), &one.digest);
                touched.extend(batch.pseudonyms.iter().map(each));
            }
            What::Defer(_) | What::Remember { .. } => common = false,
            What::Complete(completion) => {
                common = false;
                touched.push(Touched::Issuance(completion.issuance.id));
            }
        }
        // All are claimed, whatever comes first: who shares one of them with this step comes after it.
        touched.into_iter().fold(common, |free, one| claimed.insert(one) && free)
    }

    /// The grant that it looks at.
    fn grant(&self) -> Option<&str> {
        match &self.step.what {
            What::Spend { grant } => grant.as_deref(),
            What::Grant(new) => Some(&new.id),
            What::Issue(batch) => Some(&batch.grant),
            What::Take { .. } | What::Defer(_) | What::Remember { .. } | What::Complete(_) => None,
        }
    }

    fn taken_up(&self) -> Option<&Issuance> {
        match &self.step.what {
            What::Take { from, .. } => Some(from),
            _ => None,
        }
    }

    /// The pseudonyms that it brings, and of whom.
    fn brought(&self) -> Option<(Uuid, &[Pseudonym])> {
        match &self.step.what {
            What::Issue(batch) if !batch.pseudonyms.is_empty() => {
                Some((batch.person, batch.pseudonyms.as_slice()))
            }
            _ => None,
        }
    }
}

/// What the steps look at, as it stands.
struct Known {
    used: BTreeSet<String>,
    grants: BTreeMap<String, grant::Model>,
    stages: BTreeMap<String, i32>,
    registered: Registered,
}

impl Known {
    async fn read<C: ConnectionTrait>(
        connection: &C,
        planned: &[Planned<'_>],
    ) -> Result<Self, CredentialsError> {
        let apart = || planned.iter().filter(|one| one.apart);
        let marked = apart().flat_map(|one| one.step.markers.iter().zip(&one.names));
        let used = used(connection, marked).await?;
        let ids: BTreeSet<&str> = apart().filter_map(Planned::grant).collect();
        let ids = padded(ids);
        let grants = if ids.is_empty() {
            Vec::new()
        } else {
            grant::Entity::find().filter(grant::Column::Id.is_in(ids)).all(connection).await?
        };
        let ids = padded(apart().filter_map(Planned::taken_up).map(|from| from.id.to_string()));
        let stages: Vec<(String, i32)> = if ids.is_empty() {
            Vec::new()
        } else {
            let found = issuance::Entity::find().filter(issuance::Column::Id.is_in(ids));
            let columns = [issuance::Column::Id, issuance::Column::Stage];
            found.select_only().columns(columns).into_tuple().all(connection).await?
        };
        let brought: Vec<_> = apart().filter_map(Planned::brought).collect();
        Ok(Self {
            used,
            grants: grants.into_iter().map(|row| (row.id.clone(), row)).collect(),
            stages: stages.into_iter().collect(),
            registered: Registered::read(connection, &brought).await?,
        })
    }

    /// What a step comes to, its places still to be drawn; `None` if it is to be done alone.
    fn decide(&self, one: &Planned<'_>) -> Option<Answer> {
        let Step { markers, now, what } = &*one.step;
        let mut marked = markers.iter().zip(&one.names);
        if let Some((marker, _)) = marked.find(|(_, name)| self.used.contains(*name)) {
            return Some(Err(CredentialsError::UsedBefore(marker.what)));
        }
        let grant = one.grant().and_then(|id| self.grants.get(id));
        let decided = match what {
            What::Spend { grant: None } => Ok(()),
            What::Spend { grant: Some(_) } => stands(grant, *now),
            What::Take { from, .. } => {
                let stands = self.stages.get(&from.id.to_string()) == Some(&from.stage);
                if stands { Ok(()) } else { Err(CredentialsError::AlreadyPassed) }
            }
            // One that comes again ends what it was exchanged for.
            What::Grant(_) if grant.is_some() => return None,
            What::Grant(_) => Ok(()),
            What::Issue(batch) => {
                self.registered.fresh(batch.person, &batch.pseudonyms)?;
                stands(grant, *now)
            }
            What::Defer(_) | What::Remember { .. } | What::Complete(_) => return None,
        };
        Some(decided.map(|()| Done::Places(Vec::new())))
    }
}

/// Draws the places of the batches that are issued. One that finds too few among so many is left to draw alone.
async fn place<C: ConnectionTrait>(
    connection: &C,
    shards: &Shards,
    planned: &mut [Planned<'_>],
) -> Result<(), CredentialsError> {
    let (mut drawings, mut answers) = (Vec::new(), Vec::new());
    for Planned { step, answer, .. } in planned {
        let (What::Issue(batch), Some(Ok(_))) = (&mut step.what, &answer) else { continue };
        let (wanted, draw) = (batch.wanted, &mut *batch.draw);
        drawings.push(Drawing::new(wanted, draw));
        answers.push(answer);
    }
    draw_places(connection, shards, &mut drawings).await?;
    for (drawing, answer) in drawings.into_iter().zip(answers) {
        let enough = drawing.free.len() == drawing.wanted.count;
        *answer = enough.then_some(Ok(Done::Places(drawing.free)));
    }
    Ok(())
}

/// Writes what was decided.
async fn write<C: ConnectionTrait>(
    connection: &C,
    known: &Known,
    planned: &[Planned<'_>],
) -> Result<(), CredentialsError> {
    let (mut markers, mut grants, mut moved) = (Vec::new(), Vec::new(), Vec::new());
    let (mut pseudonyms, mut places) = (Vec::new(), Vec::new());
    for one in planned {
        let Some(Ok(Done::Places(free))) = &one.answer else { continue };
        let names = one.names.iter().cloned();
        markers.extend(one.step.markers.iter().zip(names).map(|(marker, name)| marker.row(name)));
        match &one.step.what {
            What::Take { from, lookup, session } => {
                let mut next = Issuance::clone(from);
                next.lookup.clone_from(lookup);
                next.session.clone_from(session);
                next.stage = from.stage.saturating_add(1);
                moved.push(row(&next));
            }
            What::Grant(new) => grants.push(new.row(one.step.now)),
            What::Issue(batch) => {
                let fresh = known.registered.fresh(batch.person, &batch.pseudonyms);
                let fresh = fresh.unwrap_or_default().into_iter();
                pseudonyms.extend(fresh.map(|one| pseudonym_row(batch.person, one)));
                let about = (batch.person, batch.id.as_str(), batch.derived_from);
                places.extend(rows(about, batch.wanted, free));
            }
            What::Spend { .. } | What::Defer(_) | What::Remember { .. } | What::Complete(_) => {}
        }
    }
    insert_rows(connection, markers).await?;
    insert_rows(connection, grants).await?;
    if !moved.is_empty() {
        let columns =
            [issuance::Column::Lookup, issuance::Column::Session, issuance::Column::Stage];
        let anew = OnConflict::column(issuance::Column::Id).update_columns(columns).to_owned();
        let moved = issuance::Entity::insert_many(moved).on_conflict(anew);
        moved.exec_without_returning(connection).await?;
    }
    insert_rows(connection, pseudonyms).await?;
    insert_rows(connection, places).await?;
    Ok(())
}
