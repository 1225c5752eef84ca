//! Where a token is: an address of RFC 7512, `pkcs11:token=LABEL?module-path=FILE&pin-source=FILE`. It never holds the
//! PIN itself, which anybody who lists processes would read.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use zeroize::Zeroizing;

/// The environment variable that holds the PIN, if the address names no file for it.
pub const PIN_VARIABLE: &str = "YUFU_KEYS_PIN";

/// Which token, through which module, and where its PIN is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenAddress {
    /// The module: a shared library, loaded when it is first needed.
    pub module: PathBuf,
    /// The label of the token.
    pub label: Option<String>,
    /// The serial number of the token.
    pub serial: Option<String>,
    /// The file with the PIN; else it is in [`PIN_VARIABLE`].
    pub pin_file: Option<PathBuf>,
}

/// Why an address of a token is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenAddressError {
    /// Another scheme, or none.
    #[error(
        "{0:?} is no address of a token: expected pkcs11:token=LABEL?module-path=FILE&pin-source=FILE"
    )]
    Scheme(String),
    /// A part without a value, or with one that is not percent-encoded.
    #[error("{0:?}: expected NAME=VALUE, with %20 for a blank")]
    Part(String),
    /// A part that has no meaning here.
    #[error("{0} means nothing here: expected token or serial, then ? and module-path, pin-source")]
    Unknown(String),
    /// The PIN is in it.
    #[error(
        "pin-value: everybody on this machine could read the PIN: put it into a file of its owner and name that (pin-source=file:FILE), or into the variable {PIN_VARIABLE}"
    )]
    PinValue,
    /// No module.
    #[error("module-path is missing: name the shared library that speaks to the token")]
    NoModule,
    /// Neither label nor serial number.
    #[error("token or serial is missing: name the token by its label or its serial number")]
    NoToken,
}

impl FromStr for TokenAddress {
    type Err = TokenAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text.strip_prefix("pkcs11:");
        let rest = rest.ok_or_else(|| TokenAddressError::Scheme(text.to_owned()))?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (mut label, mut serial, mut module, mut pin_file) = (None, None, None, None);
        for part in path.split(';').chain(query.split('&')).filter(|part| !part.is_empty()) {
            let (name, value) = pair(part)?;
            match name {
                "token" => label = Some(value),
                "serial" => serial = Some(value),
                "module-path" => module = Some(PathBuf::from(value)),
                "pin-source" => {
                    let file = value.strip_prefix("file:").unwrap_or(&value);
                    let file = file.strip_prefix("//").unwrap_or(file);
                    pin_file = Some(PathBuf::from(file));
                }
                "pin-value" => return Err(TokenAddressError::PinValue),
                other => return Err(TokenAddressError::Unknown(other.to_owned())),
            }
        }
        if label.is_none() && serial.is_none() {
            return Err(TokenAddressError::NoToken);
        }
        let module = module.ok_or(TokenAddressError::NoModule)?;
        Ok(Self { module, label, serial, pin_file })
    }
}

impl fmt::Display for TokenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = [("token", &self.label), ("serial number", &self.serial)];
        let named = named.iter().filter_map(|(what, value)| Some((what, value.as_ref()?)));
        for (index, (what, value)) in named.enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{what} {value:?}")?;
        }
        write!(f, " through {}", self.module.display())
    }
}

impl TokenAddress {
    /// The PIN, from where it is kept.
    pub(super) fn pin(&self) -> Result<Zeroizing<String>, String> {
        let text = match &self.pin_file {
            Some(file) => read(file)?,
            None => Zeroizing::new(std::env::var(PIN_VARIABLE).map_err(|_| {
                format!("no PIN: name its file in the address (pin-source=file:FILE), or set {PIN_VARIABLE}")
            })?),
        };
        let pin = Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned());
        if pin.is_empty() {
            return Err("the PIN is empty: write it into the file that pin-source names".to_owned());
        }
        Ok(pin)
    }
}

fn read(file: &Path) -> Result<Zeroizing<String>, String> {
    let text = std::fs::read_to_string(file);
    text.map(Zeroizing::new).map_err(|why| {
        format!(
            "the PIN cannot be read: {}: {why}; it must be readable for whoever runs this",
            file.display()
        )
    })
}

fn pair(part: &str) -> Result<(&str, String), TokenAddressError> {
    let bad = || TokenAddressError::Part(part.to_owned());
    let (name, value) = part.split_once('=').ok_or_else(bad)?;
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next().ok_or_else(bad)?, rest.next().ok_or_else(bad)?];
        let digits = std::str::from_utf8(&digits).map_err(|_| bad())?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| bad())?);
    }
    let value = String::from_utf8(bytes).map_err(|_| bad())?;
    if value.is_empty() { Err(bad()) } else { Ok((name, value)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_module_token_and_where_the_pin_is() {
        let text =
            "pkcs11:token=City%20keys;serial=0a?module-path=/usr/lib/m.so&pin-source=file:/etc/pin";
        let address: TokenAddress = text.parse().unwrap();
        assert_eq!(address.label.as_deref(), Some("City keys"));
        assert_eq!(address.serial.as_deref(), Some("0a"));
        assert_eq!(address.module, Path::new("/usr/lib/m.so"));
        assert_eq!(address.pin_file.as_deref(), Some(Path::new("/etc/pin")));
        let plain: TokenAddress = "pkcs11:token=a?module-path=m.so".parse().unwrap();
        assert_eq!(plain.pin_file, None);
    }

    #[test]
    fn each_bad_address_is_refused_by_what_is_wrong_with_it() {
        let refused = |text: &str| text.parse::<TokenAddress>().unwrap_err();
        assert!(matches!(refused("token=a"), TokenAddressError::Scheme(_)));
        assert!(matches!(refused("pkcs11:token"), TokenAddressError::Part(_)));
        assert!(matches!(refused("pkcs11:token=%4"), TokenAddressError::Part(_)));
        assert!(matches!(refused("pkcs11:token=a;slot=1"), TokenAddressError::Unknown(_)));
        let pin = "pkcs11:token=a?module-path=m&pin-value=1234";
        assert_eq!(refused(pin), TokenAddressError::PinValue);
        assert!(!refused(pin).to_string().contains("1234"), "a refusal shows no PIN");
        assert_eq!(refused("pkcs11:token=a"), TokenAddressError::NoModule);
        assert_eq!(refused("pkcs11:?module-path=m"), TokenAddressError::NoToken);
    }

    #[test]
    fn a_pin_is_read_from_its_file_without_the_end_of_the_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pin");
        std::fs::write(&file, "98 76\n").unwrap();
        let text = format!("pkcs11:token=a?module-path=m&pin-source={}", file.display());
        let address: TokenAddress = text.parse().unwrap();
        assert_eq!(address.pin().unwrap().as_str(), "98 76");
        std::fs::write(&file, "\n").unwrap();
        assert!(address.pin().unwrap_err().contains("empty"));
        std::fs::remove_file(&file).unwrap();
        assert!(address.pin().unwrap_err().contains("cannot be read"));
    }
}
