//! Where a card is laid for a wallet to read it: on the system's virtual reader if this build knows readers and one is
//! there, else in this process.

#[cfg(not(feature = "pcsc"))]
use crate::words::text;
use anyhow::Result;
#[cfg(not(feature = "pcsc"))]
use anyhow::bail;
use yufu_card::{Chip, Transport, TransportError};
use yufu_keys::random;

/// A card that was laid down.
pub(crate) enum OnTable {
    /// In this process.
    Here(Box<Chip>),
    /// On a reader of the system's PC/SC service.
    #[cfg(feature = "pcsc")]
    Reader(super::pcsc::OnReader),
}

impl OnTable {
    /// Lays a card down.
    pub(crate) fn lay(chip: Chip) -> Self {
        let chip = Box::new(chip);
        #[cfg(feature = "pcsc")]
        let chip = match on_reader(chip) {
            Ok(reader) => return Self::Reader(reader),
            Err(chip) => chip,
        };
        let mut chip = chip;
        chip.reset();
        Self::Here(chip)
    }

    /// The card on a reader of the system's, and the reader's name.
    #[cfg(feature = "pcsc")]
    pub(super) fn on_reader(wanted: Option<&str>) -> Result<(Self, String)> {
        let found = super::pcsc::OnReader::find(wanted)?;
        let name = found.reader.clone();
        Ok((Self::Reader(found), name))
    }

    /// This build knows no readers.
    #[cfg(not(feature = "pcsc"))]
    pub(super) fn on_reader(_: Option<&str>) -> Result<(Self, String)> {
        bail!(text!(
            "this build knows no readers: build it with the feature pcsc, or name an emulated card with --card"
        ))
    }

    /// Whether the system's card service carries what is said.
    pub(crate) const fn is_on_reader(&self) -> bool {
        match self {
            Self::Here(_) => false,
            #[cfg(feature = "pcsc")]
            Self::Reader(_) => true,
        }
    }
}

impl Transport for OnTable {
    fn exchange(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        match self {
            Self::Here(chip) => {
                let answer = chip.handle(command, &mut random::<32>);
                std::thread::sleep(std::time::Duration::from_secs(answer.delay_seconds));
                Ok(answer.bytes)
            }
            #[cfg(feature = "pcsc")]
            Self::Reader(reader) => reader.exchange(command),
        }
    }
}

/// Puts the card into the virtual reader, if there is one; else gives it back.
#[cfg(feature = "pcsc")]
fn on_reader(chip: Box<Chip>) -> Result<super::pcsc::OnReader, Box<Chip>> {
    use std::net::{Ipv4Addr, SocketAddr};
    use std::time::Duration;
    use yufu_card::Contents;
    /// Where the virtual reader waits, as Debian installs it.
    const VPCD: u16 = 35_963;
    const NAME: &str = "Virtual PCD";
    const TRIES: usize = 60;

    let Ok(mut stream) = super::vpcd::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, VPCD))) else {
        return Err(chip);
    };
    let Ok(bytes) = chip.contents().to_bytes() else { return Err(chip) };
    let Ok(contents) = Contents::from_bytes(&bytes) else { return Err(chip) };
    let mut laid = Chip::new(contents);
    std::thread::spawn(move || super::vpcd::serve(&mut stream, &mut laid, random::<32>));
    for _ in 0..TRIES {
        if let Ok(reader) = super::pcsc::OnReader::find(Some(NAME)) {
            return Ok(reader);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err(chip)
}
