//! Prepared requests sent over many connections at once, and what that took of both sides. One thread waits for
//! all connections together: a thread for each would take the server's processor for its own switching.

use super::response::Incoming;
use super::{Connection, Prepared, Target};
use crate::Figure;
use crate::stopwatch::{Stopwatch, number};
use anyhow::{Context, Result, ensure};
use rustix::event::epoll;
use std::time::Duration;
use yufu_openid4vc::HttpResponse;

/// Connections that are kept open and used one request after another, where waiting is measured.
pub(crate) const FEW: usize = 32;
/// The same, where as much as can be done is measured: enough that nobody waits for the disk alone.
pub(crate) const MANY: usize = 256;

/// How long nothing may come before the measurement is given up, in seconds.
const PATIENCE: u64 = 60;

/// What prepared requests took.
#[derive(Default)]
pub(crate) struct Measured {
    pub(crate) requests: usize,
    pub(crate) seconds: f64,
    /// The server's processor time in its own code and in the kernel, in microseconds each.
    pub(crate) user: f64,
    pub(crate) kernel: f64,
    /// The clients' processor time for each, with the kernel's, in microseconds.
    pub(crate) clients: f64,
    /// How long each answer took, in milliseconds, ascending.
    waits: Vec<f64>,
    /// What each request was answered, in their order.
    pub(crate) answers: Vec<HttpResponse>,
}

/// A connection, and the request that it waits for the answer to.
struct Client {
    connection: Connection,
    asked: Option<(usize, Stopwatch)>,
    incoming: Incoming,
}

/// Sends every request once, over `clients` connections that each send the next one when they have an answer. Each
/// has to be answered with success.
pub(crate) fn measure(target: &Target, requests: &[Prepared], clients: usize) -> Result<Measured> {
    let mut load = Load::open(target, requests, clients)?;
    let (user, kernel) = target.processor()?;
    let watch = Stopwatch::start();
    load.run()?;
    let (seconds, clients) = (watch.seconds(), watch.cpu_seconds());
    let (user_after, kernel_after) = target.processor()?;
    let (mut waits, answers): (Vec<f64>, Vec<HttpResponse>) =
        load.answers.into_iter().flatten().unzip();
    ensure!(answers.len() == requests.len(), "some requests were not answered");
    waits.sort_by(f64::total_cmp);
    let each = |after: f64, before: f64| (after - before) / number(requests.len());
    Ok(Measured {
        requests: requests.len(),
        seconds,
        user: each(user_after, user),
        kernel: each(kernel_after, kernel),
        clients: clients * 1e6 / number(requests.len()),
        waits,
        answers,
    })
}

struct Load<'a> {
    poll: rustix::fd::OwnedFd,
    clients: Vec<Client>,
    requests: std::iter::Enumerate<std::slice::Iter<'a, Prepared>>,
    /// How long each took, in milliseconds, and what it was answered.
    answers: Vec<Option<(f64, HttpResponse)>>,
}

impl<'a> Load<'a> {
    fn open(target: &Target, requests: &'a [Prepared], clients: usize) -> Result<Self> {
        let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let mut opened = Vec::with_capacity(clients);
        for number in 0..clients.min(requests.len()) {
            let connection = Connection::open(&target.address)?;
            let data = epoll::EventData::new_u64(u64::try_from(number)?);
            epoll::add(&poll, connection.socket(), data, epoll::EventFlags::IN)?;
            opened.push(Client { connection, asked: None, incoming: Incoming::default() });
        }
        let answers = requests.iter().map(|_| None).collect();
        Ok(Self { poll, clients: opened, requests: requests.iter().enumerate(), answers })
    }

    fn run(&mut self) -> Result<()> {
        let mut waiting = 0_usize;
        for client in 0..self.clients.len() {
            waiting = waiting.saturating_add(usize::from(self.ask(client)?));
        }
        let mut ready = Vec::with_capacity(self.clients.len());
        let patience = Duration::from_secs(PATIENCE).try_into().ok();
        while waiting > 0 {
            ready.clear();
            let room = rustix::buffer::spare_capacity(&mut ready);
            ensure!(epoll::wait(&self.poll, room, patience.as_ref())? > 0, "no answer came");
            for event in &ready {
                let client = usize::try_from(event.data.u64())?;
                if self.hear(client)? && !self.ask(client)? {
                    waiting = waiting.saturating_sub(1);
                }
            }
        }
        Ok(())
    }

    /// Sends the next request, if there is one more.
    fn ask(&mut self, client: usize) -> Result<bool> {
        let Some((place, request)) = self.requests.next() else { return Ok(false) };
        let client = self.clients.get_mut(client).context("a connection")?;
        client.asked = Some((place, Stopwatch::start()));
        client.connection.write(request)?;
        Ok(true)
    }

    /// Reads what came; whether an answer is complete.
    fn hear(&mut self, client: usize) -> Result<bool> {
        let client = self.clients.get_mut(client).context("a connection")?;
        let Some(answer) = client.incoming.read(client.connection.socket())? else {
            return Ok(false);
        };
        let (place, watch) = client.asked.take().context("an answer that nobody asked for")?;
        let answered = self.answers.get_mut(place).context("a place")?;
        *answered = Some((watch.seconds() * 1e3, answer));
        Ok(true)
    }
}

impl Measured {
    /// Counts what came after it with it: of both together, each request's share.
    pub(crate) fn add(&mut self, after: Self) {
        let (before, more) = (number(self.requests), number(after.requests));
        let share = |own: f64, other: f64| (own * before + other * more) / (before + more).max(1.0);
        self.user = share(self.user, after.user);
        self.kernel = share(self.kernel, after.kernel);
        self.clients = share(self.clients, after.clients);
        self.requests = self.requests.saturating_add(after.requests);
        self.seconds += after.seconds;
        self.waits.extend(after.waits);
        self.waits.sort_by(f64::total_cmp);
        self.answers.extend(after.answers);
    }

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
