//! Writes seeds of all targets from what the simulator's clients send: `cargo run -p yufu-fuzz
//! --example seeds -- FOLDER [COUNT]`.

#![expect(clippy::unwrap_used, reason = "a tool for developers")]

use std::fs;
use std::path::Path;
use yufu_base::{Digest, Snapshot, Stamp, StateMachine};
use yufu_engine::{Batch, Commitment, Header};
use yufu_fuzz::Step;
use yufu_machine::Machine;
use yufu_simulator::{Chance, City, Clients};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap();
    let count = arguments.next().map_or(40, |count| count.parse().unwrap());
    for seed in 0..count {
        let city = City::new(false);
        let (mut chance, mut clients) = (Chance::of(seed), Clients::new(city.clone()));
        let mut machine = Machine::new();
        let opening = city.opening();
        let header = Header {
            machine_version: machine.version(),
            stamp: Stamp { at: City::START },
            outcomes: Commitment::Before(Digest::ZERO),
            marked: false,
            checkpoint: None,
        };
        let few = opening
            .iter()
            .take(usize::try_from((seed % 30).saturating_add(1)).unwrap())
            .cloned()
            .collect();
        let batch = Batch { header, commands: few };
        write(&folder, "batch", seed, &batch.payload().unwrap());
        for command in &opening {
            machine.apply(header.stamp, command).unwrap();
        }
        let (mut at, mut bytes) = (City::START, Vec::new());
        for minutes in [1, 30, 1, 1, 600, 1, 1440, 1, 2880, 1, 5, 1].into_iter().cycle().take(12) {
            at = at.plus_seconds(u64::from(minutes) * 60);
            let command = clients.next(&mut chance, at);
            drop(machine.apply(Stamp { at }, &command));
            write(&folder, "command", seed, &borsh::to_vec(&command).unwrap());
            bytes.extend(Step { minutes, command }.encoded().unwrap());
        }
        write(&folder, "ledger", seed, &bytes);
        if seed % 4 == 0 {
            let mut state = Vec::new();
            machine.write_state(&mut state).unwrap();
            write(&folder, "state", seed, &state);
        }
    }
}

fn write(folder: &str, target: &str, seed: u64, bytes: &[u8]) {
    let folder = Path::new(folder).join(target);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(format!("seed-{seed:03}")), bytes).unwrap();
}
