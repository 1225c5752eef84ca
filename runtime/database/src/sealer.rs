//! Personal data sealed per person: a data key for each, wrapped under a master key, in a
//! database of its own. Destroying a person's key makes what it sealed unreadable.

use crate::connection::{Database, DatabaseError};
use crate::key::{MasterKey, PersonKey, WRAPPED, WRAPPING, cipher, context, open, seal};
use crate::migration::{Migration, MigrationError};
use crate::rows::{insert_values, padded, push_values};
use aws_lc_rs::aead::LessSafeKey;
use aws_lc_rs::{hmac, rand};
use sea_orm::{ConnectionTrait, DbErr, Statement, Value};
use std::collections::BTreeMap;
use std::fmt;
use uuid::Uuid;
use zeroize::Zeroizing;

/// Why data could not be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The person's key was destroyed, or never made.
    #[error("the key of this person was destroyed: what it sealed is erased for good")]
    Erased,
    /// Another key, another place, or altered bytes.
    #[error("the sealed data do not open: they were altered, moved, or sealed by another key")]
    Opening,
    /// The database of keys belongs to another master key.
    #[error("the master key is not the one this database of keys was made with: use that one")]
    MasterKey,
    /// The source of randomness or the cipher failed.
    #[error("the cryptographic module failed: stop the program and check the machine")]
    Cryptography,
    /// The database of keys failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The tables of the database of keys could not be brought up to date.
    #[error(transparent)]
    Migration(#[from] MigrationError),
}

impl From<DbErr> for SealError {
    fn from(error: DbErr) -> Self {
        Self::Database(error.into())
    }
}

/// A keyed digest by which sealed values are found again (HMAC-SHA-256): without the master
/// key nobody can try out values.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlindIndex([u8; 32]);

impl BlindIndex {
    /// From its bytes, as they were kept.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes, for an indexed column.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for BlindIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BlindIndex(hidden)")
    }
}

const MIGRATIONS: [Migration; 1] = [Migration {
    name: "wrapped data keys",
    sql: "CREATE TABLE data_key (person {uuid} NOT NULL PRIMARY KEY, wrapped {bytes} NOT NULL);
          CREATE TABLE master_check (id BIGINT NOT NULL PRIMARY KEY, digest {bytes} NOT NULL);",
}];

/// Keys looked up per statement.
const BATCH: usize = 500;

/// Makes, finds and destroys data keys.
pub struct Sealer {
    keys: Database,
    wrapping: LessSafeKey,
    index: hmac::Key,
}

impl Sealer {
    /// Opens the database of keys, apart from the data they seal, under its master key.
    ///
    /// # Errors
    /// [`SealError::MasterKey`] if it was made with another one; [`SealError::Migration`],
    /// [`SealError::Database`].
    pub async fn open(keys: Database, master: &MasterKey) -> Result<Self, SealError> {
        keys.migrate("sealer", &MIGRATIONS).await?;
        let wrapping = cipher(&*master.derive(WRAPPING)?)?;
        let index = master.derive(b"blind index")?;
        let index = hmac::Key::new(hmac::HMAC_SHA256, index.as_ref());
        let sealer = Self { keys, wrapping, index };
        sealer.check_master().await?;
        Ok(sealer)
    }

    async fn check_master(&self) -> Result<(), SealError> {
        let digest = self.blind("master check", "").0.to_vec();
        let transaction = self.keys.begin().await?;
        let backend = transaction.get_database_backend();
        let select = Statement::from_string(backend, "SELECT digest FROM master_check");
        match transaction.query_one_raw(select).await? {
            Some(row) if row.try_get::<Vec<u8>>("", "digest")? == digest => Ok(()),
            Some(_) => Err(SealError::MasterKey),
            None => {
                let insert = "INSERT INTO master_check (id, digest) VALUES (1, $1)";
                let insert = Statement::from_sql_and_values(backend, insert, [digest.into()]);
                transaction.execute_raw(insert).await?;
                Ok(transaction.commit().await?)
            }
        }
    }

    /// Makes and keeps a data key for each of these persons, all or none.
    ///
    /// # Errors
    /// [`SealError::Database`] also if one of them has a key.
    pub async fn create(&self, persons: &[Uuid]) -> Result<Vec<PersonKey>, SealError> {
        let mut made = Vec::with_capacity(persons.len());
        let transaction = self.keys.begin().await?;
        let mut values: Vec<Value> = Vec::with_capacity(persons.len().saturating_mul(2));
        for &person in persons {
            let mut bytes = Zeroizing::new([0; 32]);
            rand::fill(bytes.as_mut()).map_err(|_| SealError::Cryptography)?;
            let wrapped = seal(&self.wrapping, &context(WRAPPED, person), bytes.as_ref())?;
            values.extend([Value::from(person), Value::from(wrapped)]);
            made.push(PersonKey::new(person, &bytes)?);
        }
        insert_values(&transaction, "data_key", &["person", "wrapped"], values).await?;
        transaction.commit().await?;
        Ok(made)
    }

    /// The data key of a person, made if there is none. Whether there was one is not to be told from what this does: it
    /// writes one row and reads it, either way.
    ///
    /// # Errors
    /// [`SealError::Database`]; [`SealError::Opening`] if the key was altered.
    pub async fn ensure(&self, person: Uuid) -> Result<PersonKey, SealError> {
        let mut bytes = Zeroizing::new([0; 32]);
        rand::fill(bytes.as_mut()).map_err(|_| SealError::Cryptography)?;
        let wrapped = seal(&self.wrapping, &context(WRAPPED, person), bytes.as_ref())?;
        let connection = self.keys.connection();
        // A key that is there is written anew as it is, so that the disk has the same to do.
        let insert = Statement::from_sql_and_values(
            connection.get_database_backend(),
            "INSERT INTO data_key (person, wrapped) VALUES ($1, $2) \
             ON CONFLICT (person) DO UPDATE SET wrapped = data_key.wrapped",
            [person.into(), wrapped.into()],
        );
        connection.execute_raw(insert).await?;
        self.key(person).await
    }

    /// The data key of a person.
    ///
    /// # Errors
    /// [`SealError::Erased`] if there is none; [`SealError::Opening`] if it was altered.
    pub async fn key(&self, person: Uuid) -> Result<PersonKey, SealError> {
        let connection = self.keys.connection();
        let select = Statement::from_sql_and_values(
            connection.get_database_backend(),
            "SELECT wrapped FROM data_key WHERE person = $1",
            [person.into()],
        );
        let row = connection.query_one_raw(select).await?.ok_or(SealError::Erased)?;
        self.unwrap(person, &row.try_get::<Vec<u8>>("", "wrapped")?)
    }

    /// The data keys of many persons, looked up together: of each that has one, as [`Sealer::key`] gives it.
    ///
    /// # Errors
    /// [`SealError::Database`].
    pub async fn keys(
        &self,
        persons: &[Uuid],
    ) -> Result<BTreeMap<Uuid, Result<PersonKey, SealError>>, SealError> {
        let connection = self.keys.connection();
        let mut found = BTreeMap::new();
        for chunk in persons.chunks(BATCH) {
            let (chunk, backend) = (padded(chunk.to_vec()), connection.get_database_backend());
            let mut select = "SELECT person, wrapped FROM data_key WHERE person IN (".to_owned();
            push_values(&mut select, backend, (chunk.len(), 1));
            select.push(')');
            let select =
                Statement::from_sql_and_values(backend, select, chunk.into_iter().map(Value::from));
            for row in connection.query_all_raw(select).await? {
                let person: Uuid = row.try_get("", "person")?;
                let wrapped: Vec<u8> = row.try_get("", "wrapped")?;
                found.insert(person, self.unwrap(person, &wrapped));
            }
        }
        Ok(found)
    }

    fn unwrap(&self, person: Uuid, wrapped: &[u8]) -> Result<PersonKey, SealError> {
        let bytes = open(&self.wrapping, &context(WRAPPED, person), wrapped)?;
        let bytes: &[u8; 32] = bytes.as_slice().try_into().map_err(|_| SealError::Opening)?;
        PersonKey::new(person, bytes)
    }

    /// Destroys the keys of these persons; those without one are passed over. The bytes are
    /// overwritten in the file, and its write-ahead log is emptied.
    ///
    /// # Errors
    /// [`SealError::Database`].
    pub async fn destroy(&self, persons: &[Uuid]) -> Result<(), SealError> {
        let transaction = self.keys.begin().await?;
        let backend = transaction.get_database_backend();
        for &person in persons {
            let delete = "DELETE FROM data_key WHERE person = $1";
            let delete = Statement::from_sql_and_values(backend, delete, [person.into()]);
            transaction.execute_raw(delete).await?;
        }
        transaction.commit().await?;
        if backend == sea_orm::DbBackend::Sqlite {
            let connection = self.keys.connection();
            connection.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await?;
        }
        Ok(())
    }

    /// The blind index of `value` within `domain`; equal values of two domains differ.
    #[must_use]
    pub fn blind(&self, domain: &str, value: &str) -> BlindIndex {
        let mut context = hmac::Context::with_key(&self.index);
        // The length first, so that no two pairs run together into the same bytes.
        context.update(&u64::try_from(domain.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(domain.as_bytes());
        context.update(value.as_bytes());
        let mut index = [0; 32];
        for (to, from) in index.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        BlindIndex(index)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn sealer(keys: &Database, master: u8) -> Result<Sealer, SealError> {
        Sealer::open(keys.clone(), &MasterKey::new([master; 32])).await
    }

    async fn keys() -> Database {
        Database::in_memory().await.unwrap()
    }

    fn persons<const N: usize>() -> [Uuid; N] {
        std::array::from_fn(|_| Uuid::new_v4())
    }

    #[tokio::test]
    async fn what_is_sealed_opens_after_a_restart_under_the_same_master_key() {
        let keys = keys().await;
        let [person] = persons();
        let made = sealer(&keys, 1).await.unwrap().create(&[person]).await.unwrap();
        let sealed = made[0].seal("a.b", b"secret").unwrap();
        let found = sealer(&keys, 1).await.unwrap().key(person).await.unwrap();
        assert_eq!(*found.open("a.b", &sealed).unwrap(), b"secret");
    }

    #[tokio::test]
    async fn another_master_key_is_refused_at_once() {
        let keys = keys().await;
        sealer(&keys, 1).await.unwrap();
        assert!(matches!(sealer(&keys, 2).await, Err(SealError::MasterKey)));
    }

    #[tokio::test]
    async fn sealed_bytes_open_only_whole_for_their_person_and_place() {
        let keys = keys().await;
        let made = sealer(&keys, 1).await.unwrap().create(&persons::<2>()).await.unwrap();
        let sealed = made[0].seal("a.b", b"secret").unwrap();
        assert!(matches!(made[1].open("a.b", &sealed), Err(SealError::Opening)));
        assert!(matches!(made[0].open("a.c", &sealed), Err(SealError::Opening)));
        for index in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[index] ^= 1;
            assert!(matches!(made[0].open("a.b", &altered), Err(SealError::Opening)));
            assert!(made[0].open("a.b", &sealed[..index]).is_err());
        }
        assert_ne!(made[0].seal("a.b", b"secret").unwrap(), sealed, "a nonce was used twice");
    }

    #[tokio::test]
    async fn a_wrapped_key_moved_to_another_person_does_not_open() {
        let keys = keys().await;
        let sealer = sealer(&keys, 1).await.unwrap();
        let [first, second] = persons();
        sealer.create(&[first, second]).await.unwrap();
        sealer.destroy(&[second]).await.unwrap();
        let steal = Statement::from_sql_and_values(
            sea_orm::DbBackend::Sqlite,
            "INSERT INTO data_key SELECT $1, wrapped FROM data_key",
            [second.into()],
        );
        keys.connection().execute_raw(steal).await.unwrap();
        assert!(matches!(sealer.key(second).await, Err(SealError::Opening)));
    }

    #[tokio::test]
    async fn keys_looked_up_together_are_those_looked_up_alone() {
        let sealer = sealer(&keys().await, 1).await.unwrap();
        let known: [Uuid; 700] = persons();
        let made = sealer.create(&known).await.unwrap();
        let [stranger] = persons();
        let asked: Vec<Uuid> = known.iter().copied().chain([stranger]).collect();
        let found = sealer.keys(&asked).await.unwrap();
        assert_eq!(found.len(), known.len());
        for (person, made) in known.iter().zip(made) {
            let sealed = made.seal("a.b", person.as_bytes()).unwrap();
            let key = found[person].as_ref().unwrap();
            assert_eq!(key.open("a.b", &sealed).unwrap().as_slice(), person.as_bytes());
        }
    }

    #[tokio::test]
    async fn a_destroyed_key_is_gone_and_the_others_stay() {
        let sealer = sealer(&keys().await, 1).await.unwrap();
        let [first, second] = persons();
        sealer.create(&[first, second]).await.unwrap();
        sealer.destroy(&[first]).await.unwrap();
        sealer.destroy(&[first]).await.unwrap();
        assert!(matches!(sealer.key(first).await, Err(SealError::Erased)));
        assert!(sealer.key(second).await.is_ok());
    }

    #[tokio::test]
    async fn a_destroyed_key_leaves_no_bytes_in_the_files() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Database::open(&folder.path().join("keys.db")).await.unwrap();
        let sealer = sealer(&keys, 1).await.unwrap();
        let [person] = persons();
        sealer.create(&[person]).await.unwrap();
        let holds = || {
            std::fs::read_dir(folder.path()).unwrap().any(|entry| {
                let bytes = std::fs::read(entry.unwrap().path()).unwrap();
                bytes.windows(16).any(|window| window == person.as_bytes())
            })
        };
        assert!(holds());
        sealer.destroy(&[person]).await.unwrap();
        assert!(!holds());
    }

    #[tokio::test]
    async fn whoever_has_master_key_and_wrapped_key_reveals_what_they_sealed_and_nobody_else() {
        let keys = keys().await;
        let [person, other] = persons();
        let sealer = sealer(&keys, 1).await.unwrap();
        let made = sealer.create(&[person]).await.unwrap();
        let sealed = made[0].seal("a.b", b"secret").unwrap();
        let select = "SELECT wrapped FROM data_key";
        let backend = keys.connection().get_database_backend();
        let select = Statement::from_string(backend, select);
        let row = keys.connection().query_one_raw(select).await.unwrap().unwrap();
        let wrapped: Vec<u8> = row.try_get("", "wrapped").unwrap();
        let bare = MasterKey::new([1; 32]).unwrap(person, &wrapped).unwrap();
        assert_eq!(bare.reveal(&sealed).unwrap().as_slice(), b"secret");
        assert!(bare.reveal(&sealed[..27]).is_none(), "shorter than nonce and tag");
        assert!(MasterKey::new([2; 32]).unwrap(person, &wrapped).is_err());
        assert!(MasterKey::new([1; 32]).unwrap(other, &wrapped).is_err());
    }

    #[tokio::test]
    async fn keys_are_made_for_all_or_none() {
        let sealer = sealer(&keys().await, 1).await.unwrap();
        let [first, second] = persons();
        sealer.create(&[first]).await.unwrap();
        assert!(sealer.create(&[second, first]).await.is_err());
        assert!(matches!(sealer.key(second).await, Err(SealError::Erased)));
    }

    #[tokio::test]
    async fn a_blind_index_depends_on_master_key_domain_and_value() {
        let one = sealer(&keys().await, 1).await.unwrap();
        let two = sealer(&keys().await, 2).await.unwrap();
        let index = one.blind("number", "42");
        assert!(index == one.blind("number", "42"));
        assert!(index != two.blind("number", "42"));
        assert!(index != one.blind("phone", "42"));
        assert!(index != one.blind("number4", "2"));
    }
}
