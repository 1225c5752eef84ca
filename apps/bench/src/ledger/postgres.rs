//! What a user would pick instead: a ledger in two tables of PostgreSQL, on a server that the bench
//! starts for itself and ends again. Two balances are updated and a row is entered for each payment,
//! in one transaction; once statement by statement, once in a stored function.

use super::workload::Country;
use crate::stopwatch::{Stopwatch, number};
use crate::{Figure, Yardstick};
use anyhow::{Result, anyhow};
use postgres::{Client, Statement};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use yufu_log::scratch::{Server, ServerError};

const CLIENTS: usize = 8;
const FUNCTION: &str = "SELECT pay($1, $2, $3)";
const SCHEMA: &str = "
    CREATE TABLE account (id bigint PRIMARY KEY, balance bigint NOT NULL CHECK (balance >= 0));
    CREATE TABLE transfer (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        payer bigint NOT NULL, payee bigint NOT NULL, amount bigint NOT NULL,
        at timestamptz NOT NULL DEFAULT now());
    CREATE FUNCTION pay(payer bigint, payee bigint, amount bigint) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        IF payer < payee THEN
            UPDATE account SET balance = balance - amount WHERE id = payer;
            UPDATE account SET balance = balance + amount WHERE id = payee;
        ELSE
            UPDATE account SET balance = balance + amount WHERE id = payee;
            UPDATE account SET balance = balance - amount WHERE id = payer;
        END IF;
        INSERT INTO transfer (payer, payee, amount) VALUES (payer, payee, amount);
    END $$;";

/// The two figures: `durable` payments a second over those of the tables.
pub(super) fn figures(
    durable: f64,
    accounts: usize,
    time: Duration,
    folder: &Path,
) -> Result<Vec<Figure>> {
    let targets = ["at least 100 times", "at least 50 times"];
    let names = ["postgres", "postgres.function"];
    let sticks = [
        "two updates and an insert per transaction, 8 clients",
        "one stored function per transfer, 8 clients",
    ];
    let rates = match rates(accounts, time, &folder.join("pg")) {
        Ok(rates) => rates.map(Some),
        Err(error) if matches!(error.downcast_ref(), Some(ServerError::Missing)) => {
            eprintln!("  {error}");
            [None, None]
        }
        Err(error) => return Err(error),
    };
    let figure =
        |((name, stick), (rate, target)): ((&'static str, &str), (Option<f64>, _))| match rate {
            Some(value) => {
                let stick = Yardstick { name: stick.to_owned(), value, unit: "transfers/s" };
                Figure::beside(name, durable, "transfers/s", stick, target)
            }
            None => Figure { value: None, ..Figure::alone(name, 0.0, "transfers/s", target) },
        };
    let named = names.into_iter().zip(sticks);
    Ok(named.zip(rates.into_iter().zip(targets)).map(figure).collect())
}

fn rates(accounts: usize, time: Duration, folder: &Path) -> Result<[f64; 2]> {
    let server = Server::start(folder, &[("shared_buffers", "256MB"), ("max_wal_size", "4GB")])?;
    server.execute(SCHEMA)?;
    let fill =
        format!("INSERT INTO account SELECT n, 1000000000 FROM generate_series(0, {accounts}) n");
    server.execute(&fill)?;
    server.execute("VACUUM ANALYZE account")?;
    Ok([rate(&server, accounts, time, pay)?, rate(&server, accounts, time, call)?])
}

type Pay = fn(&mut Client, &[Statement], (i64, i64, i64)) -> Result<(), postgres::Error>;

/// Payments a second of all clients together.
fn rate(server: &Server, accounts: usize, time: Duration, pay: Pay) -> Result<f64> {
    let stop = AtomicBool::new(false);
    let watch = Stopwatch::start();
    let counted: Vec<Result<usize>> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let stop = &stop;
                scope.spawn(move || count(server, (accounts, client), stop, pay))
            })
            .collect();
        std::thread::sleep(time);
        stop.store(true, Ordering::Relaxed);
        clients
            .into_iter()
            .map(|client| client.join().unwrap_or_else(|_| Err(anyhow!("a client panicked"))))
            .collect()
    });
    let seconds = watch.seconds();
    let done = counted.into_iter().sum::<Result<usize>>()?;
    Ok(number(done) / seconds)
}

fn count(
    server: &Server,
    (accounts, seed): (usize, usize),
    stop: &AtomicBool,
    pay: Pay,
) -> Result<usize> {
    let mut client = server.client("postgres")?;
    let statements = [
        client.prepare("UPDATE account SET balance = balance + $2 WHERE id = $1")?,
        client.prepare("INSERT INTO transfer (payer, payee, amount) VALUES ($1, $2, $3)")?,
        client.prepare(FUNCTION)?,
    ];
    let mut country = Country::new(accounts)?;
    country.reseed(seed);
    let mut done = 0_usize;
    while !stop.load(Ordering::Relaxed) {
        let (payer, payee) = country.pair();
        pay(&mut client, &statements, (i64::try_from(payer)?, i64::try_from(payee)?, 18))?;
        done = done.saturating_add(1);
    }
    Ok(done)
}

/// Statement by statement; the smaller account first, so that no two wait for each other.
fn pay(
    client: &mut Client,
    statements: &[Statement],
    (payer, payee, amount): (i64, i64, i64),
) -> Result<(), postgres::Error> {
    let [update, insert, _] = statements else { return Ok(()) };
    let mut sides = [(payer, amount.saturating_neg()), (payee, amount)];
    sides.sort_unstable();
    let mut transaction = client.transaction()?;
    for (account, amount) in sides {
        transaction.execute(update, &[&account, &amount])?;
    }
    transaction.execute(insert, &[&payer, &payee, &amount])?;
    transaction.commit()
}

fn call(
    client: &mut Client,
    statements: &[Statement],
    (payer, payee, amount): (i64, i64, i64),
) -> Result<(), postgres::Error> {
    let [_, _, function] = statements else { return Ok(()) };
    client.execute(function, &[&payer, &payee, &amount]).map(drop)
}
