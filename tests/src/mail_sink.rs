//! A mail server on loopback that takes every mail and writes down which connection brought it. It never puts off and never
//! refuses; `infra/local/src/relay/tests.rs` has a server that does.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// One mail as it was taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taken {
    /// The envelope's sender. With a bounce address each mail has a sender of its own.
    pub from: String,
    pub to: String,
    /// Which connection brought it, in the order in which they were opened.
    pub connection: usize,
}

#[derive(Default)]
struct Book {
    taken: Vec<Taken>,
    connections: usize,
    /// Those whose client said goodbye.
    closed: Vec<usize>,
}

/// Cloning shares what was taken.
#[derive(Clone)]
pub struct MailSink {
    book: Arc<Mutex<Book>>,
    pub port: u16,
}

impl MailSink {
    /// Takes mail until the process ends.
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let sink = Self { book: Arc::default(), port };
        let taking = sink.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let connection = {
                    let mut book = taking.book();
                    book.connections += 1;
                    book.connections
                };
                let taking = taking.clone();
                // A client that was killed ends its conversation anywhere.
                std::thread::spawn(move || drop(taking.talk(stream, connection)));
            }
        });
        sink
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn talk(&self, stream: TcpStream, connection: usize) -> std::io::Result<()> {
        // A mail has a dozen short answers; each waits for nothing.
        stream.set_nodelay(true)?;
        let mut lines = BufReader::new(stream.try_clone()?);
        let say = |line: &str| (&stream).write_all(format!("{line}\r\n").as_bytes());
        say("220 sink.example.com")?;
        let (mut from, mut to) = (String::new(), String::new());
        let mut line = String::new();
        while {
            line.clear();
            lines.read_line(&mut line)?
        } > 0
        {
            let address = || line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
            match line.split([' ', '\r']).next().unwrap_or_default().to_ascii_uppercase().as_str() {
                "MAIL" => from = address(),
                "RCPT" => to = address(),
                "DATA" => {
                    say("354 go on")?;
                    let mut last = String::new();
                    while last != ".\r\n" {
                        last.clear();
                        if lines.read_line(&mut last)? == 0 {
                            return Ok(());
                        }
                    }
                    // Before the answer: from here on the mail is on its way, whoever hears of it.
                    self.book().taken.push(Taken { from: from.clone(), to: to.clone(), connection });
                }
                "QUIT" => {
                    self.book().closed.push(connection);
                    return say("221 goodbye");
                }
                _ => {}
            }
            say("250 fine")?;
        }
        Ok(())
    }

    /// In order.
    pub fn taken(&self) -> Vec<Taken> {
        self.book().taken.clone()
    }

    /// The mails that came again although the sender knew that they had been taken: all but those whose connection broke
    /// right after them.
    pub fn needlessly_again(&self) -> Vec<Taken> {
        let book = self.book();
        let mut last_of = BTreeMap::new();
        for (place, taken) in book.taken.iter().enumerate() {
            last_of.insert(taken.connection, place);
        }
        let in_flight = |place: usize, taken: &Taken| {
            last_of.get(&taken.connection) == Some(&place) && !book.closed.contains(&taken.connection)
        };
        let again = |place: usize, taken: &Taken| {
            let later = &book.taken[place + 1..];
            later.iter().any(|other| (&other.from, &other.to) == (&taken.from, &taken.to))
        };
        let places = book.taken.iter().enumerate();
        places
            .filter(|(place, taken)| again(*place, taken) && !in_flight(*place, taken))
            .map(|(_, taken)| taken.clone())
            .collect()
    }
}
