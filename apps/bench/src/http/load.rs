//! Prepared requests sent over several connections at once, and what that took of both sides.

use super::{Connection, Prepared, Server};
use crate::Figure;
use crate::stopwatch::{Stopwatch, number};
use anyhow::{Context, Result, ensure};
use std::thread;
use yufu_openid4vc::HttpResponse;

/// Connections that are kept open and used one request after another.
const CLIENTS: usize = 32;

/// What a run of prepared requests took.
pub(crate) struct Measured {
    pub(crate) requests: usize,
    pub(crate) seconds: f64,
    /// The server's processor time in its own code and in the kernel, in microseconds each.
    pub(crate) user: f64,
    pub(crate) kernel: f64,
    /// How long each answer took, in milliseconds, ascending.
    waits: Vec<f64>,
    /// What each request was answered, in their order.
    pub(crate) answers: Vec<HttpResponse>,
}

/// One request's answer: its place, how long it took in milliseconds, and what it was.
type Answered = (usize, f64, HttpResponse);

/// Sends every request once, over connections that each send their share one after another. Each has to be answered
/// with success.
pub(crate) fn measure(server: &Server, requests: &[Prepared]) -> Result<Measured> {
    let mut connections = Vec::new();
    for _ in 0..CLIENTS {
        connections.push(Connection::open(&server.address)?);
    }
    let (user, kernel) = server.processor()?;
    let watch = Stopwatch::start();
    let answered = thread::scope(|scope| -> Result<Vec<Answered>> {
        let clients = connections.into_iter().enumerate().map(|(client, mut connection)| {
            let share = requests.iter().enumerate().skip(client).step_by(CLIENTS);
            scope.spawn(move || {
                share
                    .map(|(place, one)| {
                        let (took, answer) = one.send(&mut connection)?;
                        Ok((place, took, answer))
                    })
                    .collect()
            })
        });
        let clients: Vec<thread::ScopedJoinHandle<'_, Result<Vec<Answered>>>> = clients.collect();
        let mut answered = Vec::with_capacity(requests.len());
        for client in clients {
            let of_client = client.join().ok().context("a client ended early")?;
            answered.extend(of_client?);
        }
        Ok(answered)
    });
    let (mut answered, seconds) = (answered?, watch.seconds());
    let (user_after, kernel_after) = server.processor()?;
    ensure!(answered.len() == requests.len(), "some requests were not answered");
    answered.sort_by_key(|(place, ..)| *place);
    let mut waits: Vec<f64> = answered.iter().map(|(_, took, _)| *took).collect();
    waits.sort_by(f64::total_cmp);
    let each = |after: f64, before: f64| (after - before) / number(requests.len());
    Ok(Measured {
        requests: requests.len(),
        seconds,
        user: each(user_after, user),
        kernel: each(kernel_after, kernel),
        waits,
        answers: answered.into_iter().map(|(_, _, answer)| answer).collect(),
    })
}

impl Measured {
    pub(crate) fn per_second(&self) -> f64 {
        number(self.requests) / self.seconds
    }

    pub(crate) fn rate(&self, name: &str, unit: &'static str) -> Figure {
        Figure::alone(name, self.per_second(), unit, "the closer to a swap the better")
    }

    pub(crate) fn wait(&self, percent: usize) -> f64 {
        let place = self.waits.len().saturating_mul(percent).checked_div(100).unwrap_or(0);
        let last = self.waits.len().saturating_sub(1);
        self.waits.get(place.min(last)).copied().unwrap_or_default()
    }
}
