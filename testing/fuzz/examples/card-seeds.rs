//! Writes seeds of the targets about cards, from a card that is read: `cargo run -p yufu-fuzz --example card-seeds --
//! FOLDER`.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a tool for developers")]

use std::fs;
use std::path::Path;
use yufu_card::{Access, Protocols, Randomness, Reading, Turn};
use yufu_emrtd::SignerPurpose;
use yufu_emrtd::file::File;
use yufu_fixtures::cards::{CAN, CardCountry, NOW, years};

fn main() {
    let folder = std::env::args().nth(1).expect("a folder");
    let country = CardCountry::new(1);
    let mut chip = country.chip(Protocols::default());
    let groups = [1, 11, 14, 15].map(File::Group);
    let files = [File::CardAccess, File::Common, File::SecurityObject].into_iter().chain(groups);
    for file in files {
        let bytes = chip.contents().file(file).unwrap().to_vec();
        write(&folder, "card_files", &format!("{file:?}"), &bytes);
    }
    let authority = country.authority();
    let own = std::slice::from_ref(authority.certificate());
    write(&folder, "card_files", "authority", authority.certificate().der());
    write(&folder, "card_files", "signer", country.signer().der());
    let list = country.master_list(own, SignerPurpose::MasterLists);
    write(&folder, "card_files", "master-list", &list);
    let revoked = authority.revocation_list(1, years(0, 1), &[(vec![7], NOW)]).unwrap();
    write(&folder, "card_files", "revocations", &revoked);

    // What a reader and a card say to each other, up to each point.
    let mut drawn = 0_u8;
    let mut random = || {
        drawn = drawn.wrapping_add(1);
        [drawn; 32]
    };
    let randomness = Randomness::draw(|| [9; 32]);
    let access = Access::can(CAN).unwrap();
    let mut turn = Reading::new(access, country.anchors(&[]), NOW, randomness).begin().unwrap();
    let (mut commands, mut answers, mut count) = (Vec::new(), Vec::new(), 0_usize);
    while let Turn::Send(command, next) = turn {
        let answer = chip.handle(&command, &mut random).bytes;
        commands.extend(piece(&command));
        answers.extend(piece(&answer));
        turn = next.handle(&answer).unwrap();
        count = count.saturating_add(1);
        if count <= 14 {
            write(&folder, "card_commands", &format!("first-{count:02}"), &commands);
            write(&folder, "card_answers", &format!("first-{count:02}"), &answers);
        }
    }
}

fn piece(bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len().min(255)).unwrap();
    [&[length], bytes.get(..usize::from(length)).unwrap()].concat()
}

fn write(folder: &str, target: &str, name: &str, bytes: &[u8]) {
    let folder = Path::new(folder).join(target);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), bytes).unwrap();
}
