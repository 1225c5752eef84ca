//! The card's side of the virtual reader `vpcd`: frames of two bytes length and a body over TCP. A body of one byte
//! is about power, everything else a command.

use anyhow::{Context, Result, bail};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use yufu_card::Chip;

use crate::words::text;

/// Answer to reset: direct convention, T=1, nothing else; so that commands come as they were sent.
const ATR: [u8; 4] = [0x3B, 0x80, 0x01, 0x81];

const OFF: u8 = 0;
const ON: u8 = 1;
const RESET: u8 = 2;
const ATR_WANTED: u8 = 4;

/// The connection to a virtual reader that waits for a card.
pub(super) fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(address).with_context(|| {
        text!(
            "no virtual reader answers at {address}: install vsmartcard-vpcd and start pcscd",
            address = address
        )
    })?;
    // Without these each command waits for the other side's delayed acknowledgement, forty milliseconds.
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Is the card until the reader goes away.
pub(super) fn serve(
    stream: &mut TcpStream,
    chip: &mut Chip,
    mut random: impl FnMut() -> [u8; 32],
) -> Result<()> {
    while let Some(body) = frame(stream)? {
        match body.as_slice() {
            [OFF | ON | RESET] => chip.reset(),
            [ATR_WANTED] => send(stream, &ATR)?,
            [_] => bail!(text!("the virtual reader sent something that is no command")),
            command => {
                let answer = chip.handle(command, &mut random);
                std::thread::sleep(Duration::from_secs(answer.delay_seconds));
                send(stream, &answer.bytes)?;
            }
        }
    }
    Ok(())
}

/// The next frame's body, or `None` when the reader is gone.
fn frame(stream: &mut TcpStream) -> Result<Option<Vec<u8>>> {
    #[cfg(target_os = "linux")]
    rustix::net::sockopt::set_tcp_quickack(&*stream, true)?;
    let mut length = [0; 2];
    match stream.read_exact(&mut length) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(None),
        other => other?,
    }
    let mut body = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut body)?;
    Ok(Some(body))
}

fn send(stream: &mut TcpStream, body: &[u8]) -> Result<()> {
    let length = u16::try_from(body.len())?.to_be_bytes();
    Ok(stream.write_all(&[length.as_slice(), body].concat())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::DataFolder;
    use std::net::TcpListener;
    use yufu_base::Timestamp;

    #[test]
    fn a_reader_that_connects_resets_the_card_and_gets_its_answers() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::choose(Some(folder.path().to_owned()), "demo").unwrap();
        let now = Timestamp::from_seconds(1_790_000_000);
        let country = crate::profile::load(None, now).unwrap();
        let mut chip = super::super::specimen::card(&data, &country, "resident-0", now).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let card = std::thread::spawn(move || {
            let mut stream = connect(address).unwrap();
            serve(&mut stream, &mut chip, yufu_keys::random::<32>).unwrap();
        });
        let (mut reader, _) = listener.accept().unwrap();
        let mut ask = |body: &[u8]| {
            send(&mut reader, body).unwrap();
            frame(&mut reader).unwrap().unwrap()
        };
        assert_eq!(ask(&[ATR_WANTED]), ATR);
        assert_eq!(ATR[1] ^ ATR[2], ATR[3], "the checksum");
        let select = [0, 0xA4, 4, 0x0C, 7, 0xA0, 0, 0, 2, 0x47, 0x10, 1];
        assert_eq!(ask(&select), [0x90, 0x00]);
        assert_eq!(ask(&[0, 0xB0, 0x81, 0, 4]), [0x69, 0x82]);
        send(&mut reader, &[RESET]).unwrap();
        let mut ask = |body: &[u8]| {
            send(&mut reader, body).unwrap();
            frame(&mut reader).unwrap().unwrap()
        };
        assert_eq!(ask(&[0, 0xB0, 0x81, 0, 4]), [0x6A, 0x82], "not selected any more");
        drop(reader);
        card.join().unwrap();
    }
}
