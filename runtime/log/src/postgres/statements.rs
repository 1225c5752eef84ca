//! What the log asks of the database.

use super::connection::{Connection, Trouble};
use crate::columns::{digest, signed, unsigned};
use crate::{Epoch, Head, PruneError, Record, Seq};
use postgres::{GenericClient, Row};

/// Inserts the record after the one that was named, if the epoch is in force. It holds the row of
/// the epoch until it is committed: a seal, which changes that row, waits for it; and if the seal
/// was first, the row is looked at anew, and is not in force any more.
pub(super) const APPEND: &str = "
    INSERT INTO yufu_log.record (seq, epoch, chain, payload)
    SELECT $1, writer.number, $2, $3
    FROM yufu_log.epoch AS writer
    WHERE writer.number = $4 AND writer.superseded_by IS NULL
      AND (EXISTS (SELECT FROM yufu_log.record WHERE seq = $5 AND chain = $6)
           OR EXISTS (SELECT FROM yufu_log.base WHERE seq = $5 AND chain = $6))
    FOR SHARE OF writer";

pub(super) const READ: &str = "
    SELECT seq, epoch, chain, payload FROM yufu_log.record
    WHERE seq >= $1 ORDER BY seq LIMIT $2";

const HEAD: &str = "
    SELECT coalesce(newest.seq, base.seq), coalesce(newest.chain, base.chain)
    FROM yufu_log.base LEFT JOIN
        (SELECT seq, chain FROM yufu_log.record ORDER BY seq DESC LIMIT 1) AS newest ON true";

const EPOCH: &str = "SELECT coalesce(max(number), 0) FROM yufu_log.epoch";

/// How many records are pruned in one step.
const PRUNE_STEP: u64 = 64;

impl Connection {
    /// The new head, or `None` if nothing was written: another epoch or another head.
    pub(super) fn append(
        &mut self,
        after: Head,
        epoch: Epoch,
        payload: &[u8],
    ) -> Result<Option<Head>, Trouble> {
        let next = after.extend(epoch, payload);
        let (seq, number) = (signed(next.seq.get())?, signed(epoch.get())?);
        let (before, chain) = (signed(after.seq.get())?, after.chain.0.as_slice());
        let added = next.chain.0.as_slice();
        let inserted = self.without_notice(|connection| {
            let Self { client, append, .. } = connection;
            Ok(client.execute(append, &[&seq, &added, &payload, &number, &before, &chain])?)
        })?;
        Ok((inserted == 1).then_some(next))
    }

    /// The head that no earlier epoch can move any more; or the epoch in force, if that is as high.
    pub(super) fn seal(&mut self, epoch: Epoch) -> Result<Result<Head, Epoch>, Trouble> {
        let number = signed(epoch.get())?;
        self.without_notice(|connection| {
            let mut transaction = connection.client.transaction()?;
            // Of several that seal, one at a time. Appends go on until the row of theirs is taken.
            transaction.batch_execute("LOCK TABLE yufu_log.epoch IN SHARE ROW EXCLUSIVE MODE")?;
            let current = current_epoch(&mut transaction)?;
            if epoch <= current {
                return Ok(Err(current));
            }
            let supersede =
                "UPDATE yufu_log.epoch SET superseded_by = $1 WHERE superseded_by IS NULL";
            transaction.execute(supersede, &[&number])?;
            let head = newest(&mut transaction)?;
            let insert = "INSERT INTO yufu_log.epoch (number, sealed_after) VALUES ($1, $2)";
            transaction.execute(insert, &[&number, &signed(head.seq.get())?])?;
            transaction.commit()?;
            Ok(Ok(head))
        })
    }

    pub(super) fn epoch(&mut self) -> Result<Epoch, Trouble> {
        current_epoch(&mut self.client)
    }

    pub(super) fn head(&mut self) -> Result<Head, Trouble> {
        newest(&mut self.client)
    }

    pub(super) fn base(&mut self) -> Result<Head, Trouble> {
        base(&mut self.client)
    }

    pub(super) fn read(&mut self, from: Seq, max: usize) -> Result<Vec<Record>, Trouble> {
        let (from, limit) = (signed(from.get())?, i64::try_from(max).unwrap_or(i64::MAX));
        let Self { client, read, .. } = self;
        let rows = client.query(read, &[&from, &limit])?;
        rows.iter().map(record).collect()
    }

    /// Removes a few records and moves the base along with them; tells whether `up_to` is reached.
    pub(super) fn prune_step(
        &mut self,
        epoch: Epoch,
        up_to: Head,
    ) -> Result<Result<bool, PruneError>, Trouble> {
        self.without_notice(|connection| {
            let mut transaction = connection.client.transaction()?;
            // Held until the end: a seal waits, as for an append.
            let in_force =
                "SELECT number FROM yufu_log.epoch WHERE superseded_by IS NULL FOR SHARE";
            transaction.query_opt(in_force, &[])?;
            let current = current_epoch(&mut transaction)?;
            if epoch != current {
                return Ok(Err(PruneError::Fenced(current)));
            }
            let from = base(&mut transaction)?;
            if up_to.seq < from.seq || up_to == from {
                return Ok(Ok(true));
            }
            let end = Seq::new(from.seq.get().saturating_add(PRUNE_STEP)).min(up_to.seq);
            let reached = head_of(&mut transaction, up_to.seq)?;
            let (Some(end), true) = (head_of(&mut transaction, end)?, reached == Some(up_to))
            else {
                return Ok(Err(PruneError::NoSuchHead { seq: up_to.seq }));
            };
            let seq = signed(end.seq.get())?;
            let chain = end.chain.0.as_slice();
            transaction
                .execute("UPDATE yufu_log.base SET seq = $1, chain = $2", &[&seq, &chain])?;
            transaction.execute("DELETE FROM yufu_log.record WHERE seq <= $1", &[&seq])?;
            transaction.commit()?;
            Ok(Ok(end == up_to))
        })
    }
}

fn current_epoch(client: &mut impl GenericClient) -> Result<Epoch, Trouble> {
    Ok(Epoch::new(unsigned(client.query_one(EPOCH, &[])?.try_get(0)?)?))
}

fn newest(client: &mut impl GenericClient) -> Result<Head, Trouble> {
    head(&client.query_one(HEAD, &[])?)
}

fn base(client: &mut impl GenericClient) -> Result<Head, Trouble> {
    head(&client.query_one("SELECT seq, chain FROM yufu_log.base", &[])?)
}

/// The head that a record makes, if it is there.
fn head_of(client: &mut impl GenericClient, seq: Seq) -> Result<Option<Head>, Trouble> {
    let sql = "SELECT seq, chain FROM yufu_log.record WHERE seq = $1";
    let row = client.query_opt(sql, &[&signed(seq.get())?])?;
    row.map(|row| head(&row)).transpose()
}

fn head(row: &Row) -> Result<Head, Trouble> {
    let seq = unsigned(row.try_get(0)?)?;
    Ok(Head { seq: Seq::new(seq), chain: digest(seq, row.try_get(1)?)? })
}

fn record(row: &Row) -> Result<Record, Trouble> {
    let seq = unsigned(row.try_get(0)?)?;
    let epoch = Epoch::new(unsigned(row.try_get(1)?)?);
    let chain = digest(seq, row.try_get(2)?)?;
    Ok(Record { seq: Seq::new(seq), epoch, payload: row.try_get(3)?, chain })
}
