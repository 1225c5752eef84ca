//! Prepared requests sent over many connections at once, and what that took of both sides. One thread waits for
//! all connections together: a thread for each would take the server's processor for its own switching.

use super::response::{Incoming, PIECE};
use super::{Connection, Prepared, Target};
use crate::Figure;
use crate::stopwatch::{Moment, Stopwatch, number};
use anyhow::{Context, Result, ensure};
use rustix::event::epoll;
use rustix::fd::OwnedFd;
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
    /// How long all of them take at the pace of the time in which every connection had a request under way: from when as many
    /// were answered as there are connections until the last one went out. The end, when fewer and fewer wait, is no load.
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
    asked: Option<(usize, Moment)>,
    incoming: Incoming,
}

/// Sends every request once, over as many connections as `clients` says. Each has to be answered with success.
pub(crate) fn measure(target: &Target, requests: &[Prepared], clients: usize) -> Result<Measured> {
    Clients::open(target, clients.min(requests.len()))?.measure(target, requests)
}

/// Connections that are kept open, each of which sends the next request when it has an answer.
pub(crate) struct Clients {
    poll: OwnedFd,
    clients: Vec<Client>,
    /// Where all of them read to.
    room: Box<[u8]>,
}

impl Clients {
    pub(crate) fn open(target: &Target, clients: usize) -> Result<Self> {
        let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let mut opened = Vec::with_capacity(clients);
        for number in 0..clients {
            let connection = Connection::open(&target.address)?;
            let data = epoll::EventData::new_u64(u64::try_from(number)?);
            epoll::add(&poll, connection.socket(), data, epoll::EventFlags::IN)?;
            opened.push(Client { connection, asked: None, incoming: Incoming::default() });
        }
        Ok(Self { poll, clients: opened, room: vec![0; PIECE].into() })
    }

    /// Sends every request once. Each has to be answered with success.
    pub(crate) fn measure(&mut self, target: &Target, requests: &[Prepared]) -> Result<Measured> {
        let (user, kernel) = target.processor()?;
        let mut load = Load::of(self, requests);
        load.run()?;
        let (whole, clients) = (load.watch.seconds(), load.watch.cpu_seconds());
        let (user_after, kernel_after) = target.processor()?;
        let seconds = load.seconds(whole);
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
}

struct Load<'c, 'r> {
    connections: &'c mut Clients,
    requests: std::iter::Enumerate<std::slice::Iter<'r, Prepared>>,
    watch: Stopwatch,
    answered: usize,
    /// After how many seconds as many were answered as there are connections.
    warm: Option<f64>,
    /// When the last one had gone out: how many were answered, after how many seconds.
    last: Option<(usize, f64)>,
    /// How long each took, in milliseconds, and what it was answered.
    answers: Vec<Option<(f64, HttpResponse)>>,
}

impl<'c, 'r> Load<'c, 'r> {
    /// From now on.
    fn of(connections: &'c mut Clients, requests: &'r [Prepared]) -> Self {
        let answers = requests.iter().map(|_| None).collect();
        let requests = requests.iter().enumerate();
        let watch = Stopwatch::start();
        Self { connections, requests, watch, answered: 0, warm: None, last: None, answers }
    }

    fn run(&mut self) -> Result<()> {
        let clients = self.connections.clients.len();
        let mut waiting = 0_usize;
        for client in 0..clients {
            waiting = waiting.saturating_add(usize::from(self.ask(client)?));
        }
        let mut ready = Vec::with_capacity(clients);
        let patience = Duration::from_secs(PATIENCE).try_into().ok();
        while waiting > 0 {
            ready.clear();
            let room = rustix::buffer::spare_capacity(&mut ready);
            let came = epoll::wait(&self.connections.poll, room, patience.as_ref())?;
            ensure!(came > 0, "no answer came");
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
        let Some((place, request)) = self.requests.next() else {
            let reached = (self.answered, self.watch.seconds());
            self.last.get_or_insert(reached);
            return Ok(false);
        };
        let client = self.connections.clients.get_mut(client).context("a connection")?;
        client.asked = Some((place, Moment::now()));
        client.connection.write(request)?;
        Ok(true)
    }

    /// Reads what came; whether an answer is complete.
    fn hear(&mut self, client: usize) -> Result<bool> {
        let Clients { clients, room, .. } = &mut *self.connections;
        let client = clients.get_mut(client).context("a connection")?;
        let Some(answer) = client.incoming.read(client.connection.socket(), room)? else {
            return Ok(false);
        };
        let (place, asked) = client.asked.take().context("an answer that nobody asked for")?;
        let answered = self.answers.get_mut(place).context("a place")?;
        *answered = Some((asked.seconds() * 1e3, answer));
        self.answered = self.answered.saturating_add(1);
        if self.answered == clients.len() {
            self.warm = Some(self.watch.seconds());
        }
        Ok(true)
    }

    /// How long all take: at the pace while all connections were busy, if a third was answered in that time; else what they
    /// took.
    fn seconds(&self, whole: f64) -> f64 {
        let (Some(from), Some((answered, to))) = (self.warm, self.last) else { return whole };
        let busy = answered.saturating_sub(self.connections.clients.len());
        if busy.saturating_mul(3) < self.answers.len() {
            return whole;
        }
        (to - from) * number(self.answers.len()) / number(busy)
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
