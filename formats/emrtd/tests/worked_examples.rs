//! The worked examples of ICAO 9303-11: appendix D (basic access control and secure messaging) and appendix G
//! (PACE with generic mapping).

#![expect(clippy::unwrap_used, reason = "a test")]

use yufu_emrtd::apdu::{Command, Response};
use yufu_emrtd::bac::{Contribution, DocumentKeys};
use yufu_emrtd::crypto::{AccessKey, Curve, Point, SessionKeys, Suite};
use yufu_emrtd::mrz::{ShortDate, information};
use yufu_emrtd::pace::Protocol;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

fn fixed<const N: usize>(hex: &str) -> [u8; N] {
    bytes(hex).try_into().unwrap()
}

/// DES ignores the last bit of each byte; the standard sets it to odd parity.
fn without_parity(key: &[u8]) -> Vec<u8> {
    key.iter().map(|byte| byte & 0xFE).collect()
}

#[test]
fn appendix_d_document_keys_and_authentication() {
    let number = ShortDate::from_digits("690806").unwrap();
    let zone = information("L898902C", number, ShortDate::from_digits("940623").unwrap());
    assert_eq!(zone, "L898902C<369080619406236");
    let keys = DocumentKeys::of(&zone);
    let (encryption, authentication) = keys.exposed();
    assert_eq!(
        without_parity(encryption),
        without_parity(&bytes("AB94FDECF2674FDFB9B391F85D7F76F2"))
    );
    assert_eq!(
        without_parity(authentication),
        without_parity(&bytes("7962D9ECE03D1ACD4C76089DCE131543"))
    );

    let reader = Contribution {
        nonce: fixed("781723860C06C226"),
        key: fixed("0B795240CB7049B01C19B33E32804F0B"),
    };
    let card = Contribution {
        nonce: fixed("4608F91988702212"),
        key: fixed("0B4F80323EB3191CB04970CB4052790B"),
    };
    let sent = keys.ask(&reader, &card.nonce).unwrap();
    let expected =
        "72C29C2371CC9BDB65B779B8E8D37B29ECC154AA56A8799FAE2F498F76ED92F2 5F1448EEA8AD90A7";
    assert_eq!(sent, bytes(expected));
    let (answer, mut chip) = keys.answer(&card, &sent).unwrap();
    let expected =
        "46B9342A41396CD7386BF5803104D7CEDC122B9132139BAF2EEDC94EE178534F2F2D235D074D7449";
    assert_eq!(answer, bytes(expected));
    let mut session = keys.complete(&reader, &card.nonce, &answer).unwrap();

    // Select EF.COM, read four bytes, read the rest.
    let exchanges = [
        (
            "00A4020C02011E",
            "0CA4020C158709016375432908C044F68E08BF8B92D635FF24F800",
            "9000",
            "990290008E08FA855A5D4C50A8ED9000",
        ),
        (
            "00B0000004",
            "0CB000000D9701048E08ED6705417E96BA5500",
            "60145F019000",
            "8709019FF0EC34F9922651990290008E08AD55CC17140B2DED9000",
        ),
        (
            "00B0000412",
            "0CB000040D9701128E082EA28A70F3C7B53500",
            "04303130365F36063034303030305C0261759000",
            "871901FB9235F4E4037F2327DCC8964F1F9B8C30F42C8E2FFF224A990290008E08C8B2787EAEA07D749000",
        ),
    ];
    for (command, protected, response, answered) in exchanges {
        let command = Command::parse(&bytes(command)).unwrap();
        let sent = session.protect(&command).unwrap();
        assert_eq!(sent.to_bytes(), bytes(protected));
        assert_eq!(chip.receive(&sent), Ok(command));
        let response = Response::parse(&bytes(response)).unwrap();
        let sealed = chip.answer(&response).unwrap();
        assert_eq!(sealed.to_bytes(), bytes(answered));
        assert_eq!(session.open(&sealed), Ok(response));
    }
}

#[test]
fn appendix_d_session_keys() {
    let keys = SessionKeys::derive(Suite::TripleDes, &bytes("0036D272F5C350ACAC50C3F572D23600"));
    let (encryption, authentication) = keys.exposed();
    assert_eq!(
        without_parity(encryption),
        without_parity(&bytes("979EC13B1CBFE9DCD01AB0FED307EAE5"))
    );
    assert_eq!(
        without_parity(authentication),
        without_parity(&bytes("F1CB1F1FB5ADF208806B89DC579DC1F8"))
    );
}

fn point(x: &str, y: &str) -> Point {
    Point::from_bytes(&[vec![4], bytes(x), bytes(y)].concat()).unwrap()
}

#[test]
fn appendix_g_generic_mapping_over_brainpool() {
    let protocol = Protocol { suite: Suite::Aes128, curve: Curve::BrainpoolP256r1 };
    let curve = protocol.curve;
    let password = AccessKey::zone("T22000129364081251010318");
    assert_eq!(password.key(protocol.suite).as_slice(), bytes("89DED1B26624EC1E634C1989302849DD"));
    let nonce: [u8; 16] = fixed("3F00C4D39D153F2B2A214A078D899B22");
    let sealed = password.seal_nonce(protocol.suite, &nonce).unwrap();
    assert_eq!(sealed, bytes("95A3A016522EE98D01E76CB6B98B42C3"));
    assert_eq!(password.open_nonce(protocol.suite, &sealed), Ok(nonce));

    let secret = |hex| curve.secret_from_bytes(&fixed(hex)).unwrap();
    let reader = secret("7F4EF07B9EA82FD78AD689B38D0BC78CF21F249D953BC46F4C6E19259C010F99");
    let card = secret("498FF49756F2DC1587840041839A85982BE7761D14715FB091EFA7BCE9058560");
    let (of_reader, of_card) = (curve.public(&reader).unwrap(), curve.public(&card).unwrap());
    let expected = point(
        "7ACF3EFC982EC45565A4B155129EFBC74650DCBFA6362D896FC70262E0C2CC5E",
        "544552DCB6725218799115B55C9BAA6D9F6BC3A9618E70C25AF71777A9C4922D",
    );
    assert_eq!(of_reader, expected);
    let expected = point(
        "824FBA91C9CBE26BEF53A0EBE7342A3BF178CEA9F45DE0B70AA601651FBA3F57",
        "30D8C879AAA9C9F73991E61B58F4D52EB87A0A0C709A49DC63719363CCD13C54",
    );
    assert_eq!(of_card, expected);
    let generator = protocol.generator(&nonce, &reader, &of_card).unwrap();
    assert_eq!(protocol.generator(&nonce, &card, &of_reader), Ok(generator));
    let expected = point(
        "8CED63C91426D4F0EB1435E7CB1D74A46723A0AF21C89634F65A9AE87A9265E2",
        "8C879506743F8611AC33645C5B985C80B5F09A0B83407C1B6A4D857AE76FE522",
    );
    assert_eq!(generator, expected);

    let reader = secret("A73FB703AC1436A18E0CFA5ABB3F7BEC7A070E7A6788486BEE230C4A22762595");
    let card = secret("107CF58696EF6155053340FD633392BA81909DF7B9706F226F32086C7AFF974A");
    let of_reader = curve.multiply(&reader, &generator).unwrap();
    let of_card = curve.multiply(&card, &generator).unwrap();
    let expected = point(
        "2DB7A64C0355044EC9DF190514C625CBA2CEA48754887122F3A5EF0D5EDD301C",
        "3556F3B3B186DF10B857B58F6A7EB80F20BA5DC7BE1D43D9BF850149FBB36462",
    );
    assert_eq!(of_reader, expected);
    let keys = protocol.keys(&reader, &of_card).unwrap();
    let (encryption, authentication) = keys.exposed();
    assert_eq!(encryption, bytes("F5F0E35C0D7161EE6724EE513A0D9A7F"));
    assert_eq!(authentication, bytes("FE251C7858B356B24514B3BD5F4297D1"));
    assert_eq!(protocol.token(&keys, &of_card).unwrap(), fixed("C2B0BD78D94BA866"));
    assert_eq!(protocol.token(&keys, &of_reader).unwrap(), fixed("3ABB9674BCE93C08"));
}

#[test]
fn both_sides_agree_on_both_curves_and_a_point_off_the_curve_is_refused() {
    for curve in [Curve::NistP256, Curve::BrainpoolP256r1] {
        let (one, two) = (curve.secret(&[1; 32]).unwrap(), curve.secret(&[2; 32]).unwrap());
        let (of_one, of_two) = (curve.public(&one).unwrap(), curve.public(&two).unwrap());
        assert_eq!(curve.multiply(&one, &of_two), curve.multiply(&two, &of_one));
        let other = match curve {
            Curve::NistP256 => Curve::BrainpoolP256r1,
            Curve::BrainpoolP256r1 => Curve::NistP256,
        };
        assert!(other.multiply(&one, &of_two).is_err());
        assert!(curve.secret_from_bytes(&[0; 32]).is_err());
        assert!(curve.secret_from_bytes(&[0xFF; 32]).is_err());
    }
}
