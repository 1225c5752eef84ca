//! What holds of every channel, run on each.
#![allow(clippy::unwrap_used, missing_docs, reason = "test code: to fail loudly")]

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use yufu_nearby::{Channel, ChannelError, Listening, MAX_MESSAGE, Memory, Tcp, pair};

const SOON: Duration = Duration::from_secs(5);
const HOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

async fn tcp() -> (Tcp, Tcp) {
    let listening = Listening::at(HOST).await.unwrap();
    let address = listening.address();
    let (device, reader) =
        tokio::join!(listening.accept(SOON), Tcp::connect("127.0.0.1", address.port()));
    (reader.unwrap(), device.unwrap())
}

async fn messages_come_whole_in_order_and_both_ways(
    mut one: impl Channel,
    mut other: impl Channel,
) {
    one.send(b"first").await.unwrap();
    one.send(b"").await.unwrap();
    other.send(b"back").await.unwrap();
    assert_eq!(other.receive(SOON).await.unwrap(), b"first");
    assert_eq!(other.receive(SOON).await.unwrap(), b"");
    assert_eq!(one.receive(SOON).await.unwrap(), b"back");
    let large = vec![7; MAX_MESSAGE];
    let (sent, received) = tokio::join!(one.send(&large), other.receive(SOON));
    assert_eq!((sent, received), (Ok(()), Ok(large)));
}

async fn what_is_too_long_is_not_sent(mut one: impl Channel) {
    let long = vec![0; MAX_MESSAGE + 1];
    assert_eq!(one.send(&long).await, Err(ChannelError::TooLong(MAX_MESSAGE + 1)));
}

async fn silence_is_waited_for_and_an_end_that_is_gone_is_noticed(
    mut one: impl Channel,
    other: impl Channel,
) {
    let short = Duration::from_millis(50);
    assert_eq!(one.receive(short).await, Err(ChannelError::Timeout(short)));
    drop(other);
    assert_eq!(one.receive(SOON).await, Err(ChannelError::Closed));
}

#[tokio::test]
async fn over_tcp_the_contract_holds() {
    let (one, other) = tcp().await;
    messages_come_whole_in_order_and_both_ways(one, other).await;
    let (one, _other) = tcp().await;
    what_is_too_long_is_not_sent(one).await;
    let (one, other) = tcp().await;
    silence_is_waited_for_and_an_end_that_is_gone_is_noticed(one, other).await;
}

#[tokio::test]
async fn within_one_process_the_contract_holds() {
    let (one, other): (Memory, Memory) = pair();
    messages_come_whole_in_order_and_both_ways(one, other).await;
    let (one, _other) = pair();
    what_is_too_long_is_not_sent(one).await;
    let (one, other) = pair();
    silence_is_waited_for_and_an_end_that_is_gone_is_noticed(one, other).await;
}

#[tokio::test]
async fn a_length_that_is_claimed_and_not_there_is_refused_and_one_that_is_cut_short_too() {
    let claims: [(&[u8], ChannelError); 2] = [
        (&[0xff, 0xff, 0xff, 0xff], ChannelError::TooLong(0xffff_ffff)),
        (&[0, 0, 0, 9, 1, 2], ChannelError::Closed),
    ];
    for (bytes, expected) in claims {
        let listening = Listening::at(HOST).await.unwrap();
        let mut stream = tokio::net::TcpStream::connect(listening.address()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        drop(stream);
        let mut device = listening.accept(SOON).await.unwrap();
        assert_eq!(device.receive(SOON).await, Err(expected));
    }
}

#[tokio::test]
async fn nobody_is_waited_for_longer_than_stated_and_nobody_answers_after_the_first() {
    let listening = Listening::at(HOST).await.unwrap();
    let port = listening.address().port();
    let short = Duration::from_millis(50);
    assert_eq!(listening.accept(short).await.unwrap_err(), ChannelError::Timeout(short));
    assert!(matches!(Tcp::connect("127.0.0.1", port).await, Err(ChannelError::Network(_))));
}
