//! `waxseal shim`: the shims that are part of this program.

use std::io;

use clap::{Args, Subcommand};

use super::options::ProviderOption;
use crate::exit::{Exit, Failed, help};
use crate::shim::bouncycastle;
use crate::shim::engine::Engine;
use crate::shim::gmssl::GmSsl;
use crate::shim::openssl::OpenSsl;
use crate::shim::serve::{Absent, ServeError, Shim, serve};

/// Shims that are part of this program: JSON lines on standard input and output
///
/// The protocol is documented in harness/SHIM.md. A case directory that `run
/// --keep` left replays with `waxseal shim serve < request.json`.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Serve(ServeArguments),
    Openssl(OpensslArguments),
    Bouncycastle(BouncycastleArguments),
    Gmssl(GmsslArguments),
}

/// The reference engine as a shim
#[derive(Debug, Args)]
#[command(after_help = help!("waxseal shim serve < request.json"))]
pub(super) struct ServeArguments {
    #[command(flatten)]
    provider: ProviderOption,
    /// Address space that it may use, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 1024)]
    memory: u64,
}

/// The program `openssl` as a shim, driven with `openssl cms`
#[derive(Debug, Args)]
#[command(after_help = help!("waxseal shim openssl < request.json"))]
pub(super) struct OpensslArguments {}

/// Bouncy Castle as a shim: a Java program, compiled when it is first used
///
/// It needs `java` and `javac` of version 17 or later, from JAVA_HOME or PATH,
/// and the jars of Bouncy Castle and JavaMail in /usr/share/java, where the
/// Debian packages libbcmail-java and libbcpkix-java put them. The compiled
/// program is kept in the user's cache directory.
#[derive(Debug, Args)]
#[command(after_help = help!("waxseal shim bouncycastle < request.json"))]
pub(super) struct BouncycastleArguments {}

/// GmSSL 3 as a shim, driven with its commands for GM/T 0010
///
/// `cargo xtask test --install` builds it into target/peers/gmssl/bin;
/// WAXSEAL_GMSSL names another directory that holds `gmssl` and `gmssl-helper`.
#[derive(Debug, Args)]
#[command(after_help = help!("waxseal shim gmssl < request.json"))]
pub(super) struct GmsslArguments {}

pub(super) fn run(command: &Command) -> Result<Exit, Failed> {
    match command {
        Command::Serve(arguments) => {
            limit_memory(arguments.memory)?;
            answer(&mut Engine { provider: arguments.provider.choice() })
        }
        Command::Openssl(OpensslArguments {}) => answer(&mut OpenSsl::default()),
        Command::Gmssl(GmsslArguments {}) => answer(&mut GmSsl::default()),
        // It takes the place of this process, unless it cannot be started.
        Command::Bouncycastle(BouncycastleArguments {}) => answer(&mut Absent(bouncycastle::become_it())),
    }
}

fn answer(shim: &mut dyn Shim) -> Result<Exit, Failed> {
    match serve(shim, io::stdin().lock(), io::stdout().lock()) {
        Ok(()) => Ok(Exit::Good),
        // The harness went away: nobody waits for an answer.
        Err(ServeError::Pipe(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Good),
        Err(error) => Err(Failed::fault(error)),
    }
}

/// What asks for more ends as a crash of this process, not as a machine that swaps.
fn limit_memory(mebibytes: u64) -> Result<(), Failed> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let wanted = mebibytes.saturating_mul(1 << 20);
    let current = getrlimit(Resource::As);
    let limit = current.maximum.map_or(wanted, |most| most.min(wanted));
    setrlimit(Resource::As, Rlimit { current: Some(limit), maximum: current.maximum })
        .map_err(|error| Failed::usage(format!("--memory {mebibytes}: {error}")))
}
