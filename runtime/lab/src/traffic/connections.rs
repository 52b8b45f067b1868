//! TCP connections that stay open: what both policies allow must survive a swap.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use crate::error::{Error, Result};
use crate::probe::End;
use crate::running::Lab;

/// One connection that was opened and stays so.
#[derive(Debug)]
struct Connection {
    from: End,
    to: End,
    near: TcpStream,
    far: TcpStream,
    rounds: u64,
}

/// Connections in the order they were opened.
#[derive(Debug, Default)]
pub struct Connections {
    all: Vec<Connection>,
}

impl Connections {
    /// Opens one more and waits for it.
    ///
    /// Errors: the network did not let it open within `wait`, or a socket could not be made.
    pub fn open(&mut self, lab: &Lab, from: End, to: End, port: u16, wait: Duration) -> Result<()> {
        let socket = |end: End, local: u16| {
            let namespace = lab.namespace(end.place)?;
            let local = SocketAddr::new(end.address, local);
            let make = || {
                let socket = Socket::new(Domain::for_address(local), Type::STREAM, None)?;
                socket.set_reuse_address(true)?;
                socket.bind(&local.into())?;
                Ok(socket)
            };
            let (operation, name) = (format!("bind {local}"), namespace.name().to_string());
            namespace.run(|| make().map_err(|source| Error::Socket { operation, name, source }))
        };
        let address = SocketAddr::new(to.address, port);
        let (near, far) = (socket(from, 0)?, socket(to, port)?);
        let connect = || -> io::Result<(TcpStream, TcpStream)> {
            far.listen(8)?;
            // The last packet of the handshake may be lost though the near end is content.
            far.set_read_timeout(Some(wait))?;
            near.connect_timeout(&address.into(), wait)?;
            let near = TcpStream::from(near);
            let (far, _) = TcpListener::from(far).accept()?;
            for stream in [&near, &far] {
                stream.set_nodelay(true)?;
            }
            Ok((near, far))
        };
        let name = lab.namespace(from.place)?.name().to_string();
        let (near, far) =
            connect().map_err(|source| Error::Socket { operation: format!("connect to {address}"), name, source })?;
        self.all.push(Connection { from, to, near, far, rounds: 0 });
        Ok(())
    }

    /// Sends a number there and back on every connection, one after the other.
    ///
    /// Shape: the ends of those that did not carry it within `wait` each way, or were reset; empty when all live. A connection
    /// that failed once stays failed: what was late would answer a later round. TCP sends
    /// again what is lost, so a wait below its 200 ms shows a single loss.
    pub fn exchange(&mut self, wait: Duration) -> Vec<(End, End)> {
        let dead = self.all.iter_mut().filter_map(|one| round(one, wait).err().map(|_| (one.from, one.to)));
        dead.collect()
    }
}

fn round(one: &mut Connection, wait: Duration) -> io::Result<()> {
    one.rounds += 1;
    let number = one.rounds.to_be_bytes();
    let (near, far) = (&one.near, &one.far);
    for (mut from, mut to) in [(near, far), (far, near)] {
        to.set_read_timeout(Some(wait))?;
        from.write_all(&number)?;
        let mut back = [0; 8];
        to.read_exact(&mut back)?;
        if back != number {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    Ok(())
}
