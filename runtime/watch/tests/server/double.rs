//! A small API server over real connections: it answers what it is told and remembers what it was asked.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Who vouches for the double, its certificate, and its key. They guard nothing.
const AUTHORITY: &str = include_str!("authority.pem");
const CERTIFICATE: &str = include_str!("cert.pem");
const KEY: &str = include_str!("key.pem");

/// One answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub code: u16,
    pub body: String,
    pub after: Duration,
}

impl Answer {
    pub fn ok(body: &str) -> Answer {
        Answer { code: 200, body: body.to_owned(), after: Duration::ZERO }
    }

    pub fn status(code: u16, reason: &str) -> Answer {
        let body = format!(
            r#"{{"kind":"Status","apiVersion":"v1","metadata":{{}},"status":"Failure","message":"{reason}","reason":"{reason}","code":{code}}}"#
        );
        Answer { code, body, after: Duration::ZERO }
    }
}

/// A question as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub target: String,
    pub headers: BTreeMap<String, String>,
}

/// A running server; it ends with the process.
pub struct Double {
    pub port: u16,
    pub scheme: &'static str,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Double {
    /// A server that gives these answers by path and query, and 404 for everything else.
    pub fn plain(answers: &[(&str, Answer)]) -> Double {
        Double::start(answers, None)
    }

    /// The same behind TLS.
    pub fn encrypted(answers: &[(&str, Answer)]) -> Double {
        use rustls::pki_types::pem::PemObject;
        use rustls::pki_types::{CertificateDer, PrivateKeyDer};
        let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
        Double::start(answers, Some(Arc::new(config)))
    }

    fn start(answers: &[(&str, Answer)], tls: Option<Arc<rustls::ServerConfig>>) -> Double {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let answers: BTreeMap<String, Answer> = answers.iter().map(|(at, it)| ((*at).to_owned(), it.clone())).collect();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answers, log, tls) = (answers.clone(), log.clone(), tls.clone());
                std::thread::spawn(move || match tls {
                    None => serve(&mut BufReader::new(stream), &answers, &log),
                    Some(config) => {
                        let connection = rustls::ServerConnection::new(config).unwrap();
                        let stream: rustls::StreamOwned<_, TcpStream> = rustls::StreamOwned::new(connection, stream);
                        serve(&mut BufReader::new(stream), &answers, &log);
                    }
                });
            }
        });
        Double { port, scheme, asked }
    }

    /// What was asked so far: paths with queries.
    pub fn targets(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|it| it.target.clone()).collect()
    }

    /// A header of the first question.
    pub fn header(&self, name: &str) -> Option<String> {
        self.asked.lock().unwrap().first()?.headers.get(name).cloned()
    }

    /// A kubeconfig with one context, `double`, and a bearer token.
    pub fn kubeconfig(&self) -> String {
        let certificate = encoded(AUTHORITY.as_bytes());
        let authority =
            if self.scheme == "https" { format!("certificate-authority-data: {certificate}") } else { String::new() };
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: double\n\
             clusters:\n- name: c\n  cluster:\n    server: {}://127.0.0.1:{}\n    {authority}\n\
             contexts:\n- name: double\n  context: {{cluster: c, user: u}}\n\
             users:\n- name: u\n  user: {{token: open-sesame}}\n",
            self.scheme, self.port
        )
    }
}

fn serve<S: Read + Write>(stream: &mut BufReader<S>, answers: &BTreeMap<String, Answer>, log: &Mutex<Vec<Asked>>) {
    let Some(asked) = question(stream) else { return };
    let answer = answers.get(&asked.target).cloned().unwrap_or_else(|| Answer::status(404, "NotFound"));
    log.lock().unwrap().push(asked);
    std::thread::sleep(answer.after);
    let head = format!(
        "HTTP/1.1 {} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        answer.code,
        answer.body.len()
    );
    // A client that left is what some tests are about.
    let _ = stream.get_mut().write_all((head + &answer.body).as_bytes()).and_then(|()| stream.get_mut().flush());
}

fn question(stream: &mut impl BufRead) -> Option<Asked> {
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    let target = line.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    Some(Asked { target, headers })
}

/// Base64, as kubeconfigs have it.
fn encoded(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |three: &[u8]| {
        let bits = three.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        let letter = |at: usize| LETTERS[(bits >> (18 - 6 * at) & 63) as usize] as char;
        (0..4).map(|at| if at <= three.len() { letter(at) } else { '=' }).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}
