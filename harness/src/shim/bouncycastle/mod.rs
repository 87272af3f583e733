//! Bouncy Castle as a shim: a Java program, whose source is part of this one.
//!
//! It is compiled when it is first used and kept in the user's cache directory,
//! under a name that changes with the source and the jars. This process then
//! becomes that program, which speaks the protocol itself.

use std::convert::Infallible;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::kept::{Kept, Sources};

/// The Java source, file by file.
const SOURCES: &Sources = &[
    ("AuthEnveloped.java", include_str!("AuthEnveloped.java")),
    ("Json.java", include_str!("Json.java")),
    ("Layer.java", include_str!("Layer.java")),
    ("Opening.java", include_str!("Opening.java")),
    ("Reasons.java", include_str!("Reasons.java")),
    ("Recipients.java", include_str!("Recipients.java")),
    ("Request.java", include_str!("Request.java")),
    ("Shim.java", include_str!("Shim.java")),
    ("Revocation.java", include_str!("Revocation.java")),
    ("Signatures.java", include_str!("Signatures.java")),
    ("Sm.java", include_str!("Sm.java")),
    ("Writing.java", include_str!("Writing.java")),
];

/// Where Debian's packages libbcmail-java and libbcpkix-java put what they need.
const JARS: &[&str] = &[
    "/usr/share/java/bcmail.jar",
    "/usr/share/java/bcpkix.jar",
    "/usr/share/java/bcutil.jar",
    "/usr/share/java/bcprov.jar",
    "/usr/share/java/javax.mail.jar",
    "/usr/share/java/javax.activation.jar",
];

/// A request takes milliseconds: the compiler that makes long runs faster, and
/// its threads, cost more than they bring.
const OPTIONS: &[&str] = &["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m"];

/// Lets the Java program take the place of this process; if it returns, why it
/// could not.
#[must_use]
pub fn become_it() -> String {
    match prepare().and_then(|classes| exec(&classes)) {
        Err(why) => why,
        Ok(never) => match never {},
    }
}

/// The directory of the compiled program, which is compiled if it is not there.
fn prepare() -> Result<PathBuf, String> {
    let mut versions = Vec::new();
    for jar in JARS {
        // The name behind the link holds the version.
        let file = Path::new(jar)
            .canonicalize()
            .map_err(|_| format!("{jar} does not exist (Debian: apt-get install libbcmail-java libbcpkix-java)"))?;
        versions.push(file.into_os_string().into_encoded_bytes());
    }
    Kept { name: "bouncycastle", sources: SOURCES, beside: &versions }
        .directory(compile)
        .map_err(|why| format!("the shim of Bouncy Castle cannot be compiled: {why}"))
}

fn compile(work: &Path) -> Result<(), String> {
    let output = Command::new(tool("javac"))
        .args(["--release", "17", "-cp", &JARS.join(":")])
        .args(SOURCES.iter().map(|(name, _)| name))
        .current_dir(work)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("javac cannot be started (Debian: apt-get install default-jdk-headless): {error}"))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(format!("javac says {:?}", words.lines().next().unwrap_or_default()));
    }
    Ok(())
}

fn exec(classes: &Path) -> Result<Infallible, String> {
    let mut path = OsString::from(JARS.join(":") + ":");
    path.push(classes);
    let error = Command::new(tool("java")).args(OPTIONS).arg("-cp").arg(path).arg("Shim").exec();
    Err(format!("java cannot be started: {error}"))
}

/// A program of the JDK: that of `JAVA_HOME`, or the one on PATH.
fn tool(name: &str) -> PathBuf {
    let home = std::env::var_os("JAVA_HOME").map(|home| Path::new(&home).join("bin").join(name));
    home.filter(|path| path.is_file()).unwrap_or_else(|| name.into())
}
