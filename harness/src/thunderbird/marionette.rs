//! A client of Marionette, the remote control of Firefox and Thunderbird:
//! JSON over TCP, each message with its length in decimal digits and a colon
//! before it.
//!
//! A command is `[0, id, name, parameters]`, its answer `[1, id, error, result]`.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

/// Octets of the largest message that is taken.
const MESSAGE: usize = 64 << 20;

/// How much longer the answer to a script may take than the script.
const GRACE: Duration = Duration::from_secs(10);

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum MarionetteError {
    /// The connection.
    #[error("marionette: {0}")]
    Io(#[from] io::Error),
    /// What came is not what the protocol has.
    #[error("marionette: {0}")]
    Protocol(String),
    /// The command failed, in the words of the program.
    #[error("{name}: {error}: {message}")]
    Remote {
        /// The command.
        name: String,
        /// What kind of error, as WebDriver names it.
        error: String,
        /// What is said of it.
        message: String,
    },
}

/// A session in the chrome context: scripts may do what the program may.
#[derive(Debug)]
pub struct Marionette {
    stream: TcpStream,
    id: u64,
}

impl Marionette {
    /// Opens a session. A script may take as long as `patience`.
    ///
    /// # Errors
    /// Nobody listens there, or it is not Marionette, or it has a session.
    pub fn connect(address: SocketAddr, patience: Duration) -> Result<Self, MarionetteError> {
        let stream = TcpStream::connect_timeout(&address, patience)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(patience + GRACE))?;
        stream.set_write_timeout(Some(GRACE))?;
        let mut marionette = Self { stream, id: 0 };
        let hello = marionette.receive()?;
        if hello["marionetteProtocol"] != 3 {
            return Err(MarionetteError::Protocol(format!("not version 3 of the protocol: {hello}")));
        }
        marionette.command("WebDriver:NewSession", &json!({}))?;
        marionette.command("Marionette:SetContext", &json!({ "value": "chrome" }))?;
        let milliseconds = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        marionette.command("WebDriver:SetTimeouts", &json!({ "script": milliseconds }))?;
        Ok(marionette)
    }

    /// Runs a script and returns what it returns. Its arguments are `arguments`.
    ///
    /// # Errors
    /// It threw something, or took too long.
    pub fn run(&mut self, script: &str, arguments: &[Value]) -> Result<Value, MarionetteError> {
        self.script("WebDriver:ExecuteScript", script, arguments)
    }

    /// Runs the body of an asynchronous function and returns what it returns.
    ///
    /// # Errors
    /// It threw something, or took too long.
    pub fn run_async(&mut self, body: &str, arguments: &[Value]) -> Result<Value, MarionetteError> {
        let script = format!(
            "const done = arguments[arguments.length - 1];\n\
             (async (...arguments) => {{\n{body}\n}})(...[...arguments].slice(0, -1))\
             .then(result => done({{ result }}), error => done({{ error: `${{error}}\\n${{error?.stack}}` }}));"
        );
        let name = "WebDriver:ExecuteAsyncScript";
        let mut told = self.script(name, &script, arguments)?;
        match told["error"].as_str() {
            Some(message) => Err(MarionetteError::Remote {
                name: name.to_owned(),
                error: "javascript error".to_owned(),
                message: message.to_owned(),
            }),
            None => Ok(told["result"].take()),
        }
    }

    /// Tells the program to end, without asking anybody.
    ///
    /// # Errors
    /// It does not.
    pub fn quit(mut self) -> Result<(), MarionetteError> {
        self.command("Marionette:Quit", &json!({ "flags": ["eForceQuit"] })).map(drop)
    }

    fn script(&mut self, name: &str, script: &str, arguments: &[Value]) -> Result<Value, MarionetteError> {
        // A sandbox of the system: ChromeUtils and Services are there.
        let parameters = json!({ "script": script, "args": arguments, "sandbox": "system", "newSandbox": true });
        Ok(self.command(name, &parameters)?["value"].take())
    }

    fn command(&mut self, name: &str, parameters: &Value) -> Result<Value, MarionetteError> {
        self.id += 1;
        let message = json!([0, self.id, name, parameters]).to_string();
        self.stream.write_all(format!("{}:{message}", message.len()).as_bytes())?;
        let mut answer = self.receive()?;
        if answer[0] != 1 || answer[1] != self.id {
            return Err(MarionetteError::Protocol(format!("no answer to {name}: {answer}")));
        }
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match &answer[2] {
            Value::Null => Ok(answer[3].take()),
            error => Err(MarionetteError::Remote {
                name: name.to_owned(),
                error: word(&error["error"]),
                message: word(&error["message"]),
            }),
        }
    }

    fn receive(&mut self) -> Result<Value, MarionetteError> {
        let mut length = 0_usize;
        loop {
            let mut octet = [0];
            self.stream.read_exact(&mut octet)?;
            match octet[0] {
                b':' => break,
                digit @ b'0'..=b'9' if length <= MESSAGE => length = length * 10 + usize::from(digit - b'0'),
                other => return Err(MarionetteError::Protocol(format!("octet {other} in a length"))),
            }
        }
        if length > MESSAGE {
            return Err(MarionetteError::Protocol(format!("a message of {length} octets")));
        }
        let mut message = vec![0; length];
        self.stream.read_exact(&mut message)?;
        serde_json::from_slice(&message).map_err(|error| MarionetteError::Protocol(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, TcpListener};
    use std::thread::JoinHandle;

    /// A program that answers as it is told, one answer a command, and returns
    /// the names of the commands.
    fn scripted(hello: &str, answers: &[&str]) -> (SocketAddr, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (hello, answers) = (hello.to_owned(), answers.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        let thread = std::thread::spawn(move || {
            let stream = listener.accept().unwrap().0;
            let mut server = Marionette { stream, id: 0 };
            server.stream.write_all(format!("{}:{hello}", hello.len()).as_bytes()).unwrap();
            let mut names = Vec::new();
            for answer in answers {
                let Ok(command) = server.receive() else { break };
                names.push(command[2].as_str().unwrap().to_owned());
                let answer = answer.replace("ID", &command[1].to_string());
                server.stream.write_all(format!("{}:{answer}", answer.len()).as_bytes()).unwrap();
            }
            names
        });
        (address, thread)
    }

    const HELLO: &str = r#"{"applicationType":"gecko","marionetteProtocol":3}"#;
    const DONE: &str = r#"[1,ID,null,{"value":null}]"#;

    fn connect(address: SocketAddr) -> Result<Marionette, MarionetteError> {
        Marionette::connect(address, Duration::from_secs(5))
    }

    #[test]
    fn a_session() {
        let value = r#"[1,ID,null,{"value":{"a":"\u00e4"}}]"#;
        let thrown = r#"[1,ID,{"error":"javascript error","message":"TypeError: x","stacktrace":""},null]"#;
        let result = r#"[1,ID,null,{"value":{"result":7}}]"#;
        let error = r#"[1,ID,null,{"value":{"error":"Error: y\nat z"}}]"#;
        let (address, thread) = scripted(HELLO, &[DONE, DONE, DONE, value, thrown, result, error, DONE]);
        let mut session = connect(address).unwrap();
        assert_eq!(session.run("return {a: 'ä'}", &[]).unwrap(), json!({ "a": "ä" }));
        let thrown = session.run("x()", &[]).unwrap_err();
        assert_eq!(thrown.to_string(), "WebDriver:ExecuteScript: javascript error: TypeError: x");
        assert_eq!(session.run_async("return 7", &[json!(1)]).unwrap(), 7);
        assert!(session.run_async("throw y", &[]).unwrap_err().to_string().ends_with("Error: y\nat z"));
        session.quit().unwrap();
        assert_eq!(
            thread.join().unwrap(),
            [
                "WebDriver:NewSession",
                "Marionette:SetContext",
                "WebDriver:SetTimeouts",
                "WebDriver:ExecuteScript",
                "WebDriver:ExecuteScript",
                "WebDriver:ExecuteAsyncScript",
                "WebDriver:ExecuteAsyncScript",
                "Marionette:Quit"
            ]
        );
    }

    #[test]
    fn what_is_not_the_protocol() {
        for (hello, answers) in [
            (r#"{"marionetteProtocol":2}"#, &[][..]),
            ("not json", &[]),
            (HELLO, &[r#"[1,99,null,{}]"#]),
            (HELLO, &[r#"[0,ID,null,{}]"#]),
        ] {
            let (address, _thread) = scripted(hello, answers);
            assert!(matches!(connect(address), Err(MarionetteError::Protocol(_))), "{hello} {answers:?}");
        }
        // It ends in the middle.
        let (address, _thread) = scripted(HELLO, &[]);
        assert!(matches!(connect(address), Err(MarionetteError::Io(_))));
    }
}
