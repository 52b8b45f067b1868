//! The side that is asked: listeners that note each token and send it back.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;
use std::thread;

use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;

use super::{Probe, Protocol};
use crate::error::{Error, Result};
use crate::running::Lab;
use crate::topology::{Place, Transport};

/// One question's mark, in every packet of it.
pub(super) type Token = [u8; 8];

/// The tokens that listeners have seen.
#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<BTreeSet<Token>>);

impl Seen {
    fn note(&self, token: Token) {
        // A poisoned set is still a set of tokens that were seen.
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).insert(token);
    }

    pub(super) fn has(&self, token: Token) -> bool {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).contains(&token)
    }
}

pub(super) enum Listener {
    Tcp(std::net::TcpListener),
    Udp(std::net::UdpSocket),
}

/// Opens what the probes ask for: bound to the address asked, so that answers leave with it where a place has several.
pub(super) fn open(lab: &Lab, probes: &[Probe]) -> Result<Vec<Listener>> {
    let mut wanted: BTreeMap<Place, BTreeSet<(IpAddr, Transport, u16)>> = BTreeMap::new();
    for probe in probes {
        let (transport, port) = match probe.protocol {
            Protocol::Tcp(port) => (Transport::Tcp, port),
            Protocol::Udp(port) => (Transport::Udp, port),
            Protocol::Echo => continue,
        };
        wanted.entry(probe.to.place).or_default().insert((probe.to.address, transport, port));
    }
    let mut all = vec![];
    for (place, wanted) in wanted {
        let namespace = lab.namespace(place)?;
        let opened = namespace.run(|| {
            let one = |(address, transport, port)| {
                let address = SocketAddr::new(address, port);
                listen(address, transport).map_err(|source| Error::Socket {
                    operation: format!("listen on {address} {transport:?}"),
                    name: namespace.name().to_string(),
                    source,
                })
            };
            wanted.into_iter().map(one).collect::<Result<Vec<Listener>>>()
        });
        all.extend(opened?);
    }
    Ok(all)
}

fn listen(address: SocketAddr, transport: Transport) -> io::Result<Listener> {
    let kind = match transport {
        Transport::Tcp => Type::STREAM,
        Transport::Udp => Type::DGRAM,
    };
    let socket = Socket::new(Domain::for_address(address), kind.nonblocking(), None)?;
    if transport == Transport::Tcp {
        // A listener of an earlier round may still have connections that linger.
        socket.set_reuse_address(true)?;
    }
    socket.bind(&address.into())?;
    if transport == Transport::Udp {
        return Ok(Listener::Udp(socket.into()));
    }
    socket.listen(1024)?;
    Ok(Listener::Tcp(socket.into()))
}

/// Serves on a thread of its own while `work` runs.
pub(super) fn during<R>(listeners: Vec<Listener>, work: impl FnOnce(&Seen) -> Result<R>) -> Result<R> {
    let seen = std::sync::Arc::new(Seen::default());
    let (stop, stopped) = oneshot::channel::<()>();
    let failed = |source| Error::Socket { operation: "serve".to_string(), name: "every one".to_string(), source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    thread::scope(|scope| {
        let noting = seen.clone();
        let server = scope.spawn(move || {
            runtime.block_on(async move {
                for listener in listeners {
                    let seen = noting.clone();
                    match listener {
                        Listener::Tcp(socket) => {
                            let socket = tokio::net::TcpListener::from_std(socket)?;
                            tokio::spawn(async move { accept(socket, &seen).await });
                        }
                        Listener::Udp(socket) => {
                            let socket = tokio::net::UdpSocket::from_std(socket)?;
                            tokio::spawn(async move { answer(socket, &seen).await });
                        }
                    }
                }
                // Also ends when the asking side is gone.
                let _ = stopped.await;
                Ok(())
            })
        });
        let result = work(&seen);
        drop(stop);
        let served = server.join().unwrap_or_else(|_| Err(io::Error::other("the serving thread panicked")));
        served.map_err(failed).and(result)
    })
}

async fn accept(listener: tokio::net::TcpListener, seen: &std::sync::Arc<Seen>) {
    loop {
        // A connection that fails is one the asking side hears of.
        let Ok((mut stream, _)) = listener.accept().await else { continue };
        let seen = seen.clone();
        tokio::spawn(async move {
            let mut token = Token::default();
            while stream.read_exact(&mut token).await.is_ok() {
                seen.note(token);
                if stream.write_all(&token).await.is_err() {
                    break;
                }
            }
        });
    }
}

async fn answer(socket: tokio::net::UdpSocket, seen: &Seen) {
    let mut buffer = [0; 64];
    loop {
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
        let token: Option<Token> = buffer.get(..length).and_then(|bytes| bytes.try_into().ok());
        if let Some(token) = token {
            seen.note(token);
            // An answer that cannot leave is one that does not come back.
            let _ = socket.send_to(&token, from).await;
        }
    }
}
