//! Links and offers that lead into the machine, or its network, of whoever reads them.

use crate::wallet::{Holder, Passphrase};
use std::net::TcpListener;
use yufu_api::http::ClientError;
use yufu_base::Signer as _;
use yufu_jose::SoftwareKey;
use yufu_openid4vc::{Endpoint, HttpRequest};

#[tokio::test]
async fn a_wallet_of_a_city_elsewhere_asks_nobody_inside_its_own_network() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let here = listener.local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let key = SoftwareKey::from_seed(&[1; 32]).unwrap().public_key();
    let passphrase = Passphrase::of_the_demo();
    let wallet =
        |name: &str, city: &str| Holder::open(folder.path(), name, &passphrase, city, key).unwrap();
    let elsewhere = wallet("elsewhere", "https://city.example");
    for address in [format!("http://{here}/request"), format!("http://localhost:{}/", here.port())]
    {
        let request = HttpRequest::get(Endpoint::parse(&address).unwrap(), "text/plain");
        let refused = elsewhere.send(request).await.unwrap_err();
        assert!(refused.to_string().contains("inside this machine"), "{refused}");
    }
    for address in ["https://169.254.169.254/latest", "https://192.168.1.1/", "https://[fd00::1]/"]
    {
        let request = HttpRequest::get(Endpoint::parse(address).unwrap(), "text/plain");
        assert!(
            elsewhere.send(request).await.unwrap_err().to_string().contains("inside"),
            "{address}"
        );
    }
    let came = listener.accept().unwrap_err();
    assert_eq!(came.kind(), std::io::ErrorKind::WouldBlock, "nobody was asked");
    drop(listener);
    // The city on this machine itself may be asked, and does not answer here.
    let at_home = wallet("at-home", "http://localhost:1");
    let request =
        HttpRequest::get(Endpoint::parse(&format!("http://{here}/")).unwrap(), "text/plain");
    let tried = at_home.send(request).await.unwrap_err();
    assert!(!tried.to_string().contains("inside"), "{tried}");
}

#[tokio::test]
async fn abroad_no_institution_is_asked_at_an_address_inside_that_the_other_countrys_list_names() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let named = format!("http://localhost:{}/banks", listener.local_addr().unwrap().port());
    let folder = tempfile::tempdir().unwrap();
    let key = SoftwareKey::from_seed(&[1; 32]).unwrap().public_key();
    let passphrase = Passphrase::of_the_demo();
    let city = "https://city.example";
    let mut wallet = Holder::open(folder.path(), "mei", &passphrase, city, key).unwrap();
    wallet.connect_for(Some("XA"));
    let refused = wallet.client.get::<serde_json::Value>(&named, None).await.unwrap_err();
    assert!(matches!(refused, ClientError::Inside { .. }), "{refused}");
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    drop(listener);
    // At home the own list's institutions may be in a network of their own.
    wallet.connect_for(None);
    let tried = wallet.client.get::<serde_json::Value>(&named, None).await.unwrap_err();
    assert!(!matches!(tried, ClientError::Inside { .. }), "{tried}");
}
