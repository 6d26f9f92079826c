//! `wirecross control`: says a word to a running venue.

use crate::topology::Topology;
use crate::venue::say;
use std::path::PathBuf;
use std::process::ExitCode;

/// What can be said.
pub(super) const WORDS: &str = "\
Words:
  state SYMBOL STATE [REFERENCE]     pre-open, opening-auction, continuous, halt,
                                     volatility-auction, reopening, closing-auction, closed;
                                     from an auction to continuous, or from the closing
                                     auction to closed, the auction trades
  indicate SYMBOL                    what its auction would do now
  bands SYMBOL STATIC DYNAMIC [LIMIT_MS AUCTION_MS]
                                     widths in 1/10,000 of their references, 0 for none
  allocation SYMBOL time | pro-rata | split PERCENT
  limit ACCOUNT NAME VALUE [AT_ONCE] names as in a topology's [risk.ACCOUNT]; 0 for none
  restrict ACCOUNT SYMBOL            the account's orders in the symbol are refused
  permit ACCOUNT SYMBOL              they are not any more
  kill all | account NUMBER | user NAME | symbol SYMBOL
                                     takes its orders off and refuses new ones
  revive, as kill                    refuses no longer
  open SYMBOL, resume SYMBOL         its orders trade as they arrive
  halt SYMBOL                        its orders are refused, cancels are taken
  close SYMBOL                       its day is over
  cancel USER REFERENCE              takes one order off
  bust SYMBOL MATCH WHY              takes a trade of the day back; erroneous, consent,
                                     supervisory, external
  lock USER, unlock USER             its logins are refused; taken again, whatever locked it
  kick USER                          ends its connection
  user add USER FIRM ACCOUNT HASH NETWORK...|any
                                     a user more, for a place of limits.spare_users
  user remove USER                   it is gone until the day ends, and so are its orders
  user rate USER A_SECOND AT_ONCE [REFUSALS_MAX], user rate USER off
                                     how fast it may send, until the day ends
  user grace USER MS|off             how long its orders outlive its connection
  user addresses USER NETWORK...|any where it may log in from
  user password USER HASH            what `wirecross admin hash-password` prints
  grant USER ACCOUNT ROLE            what it may do for the account, which may be a new one:
                                     trader, risk (cancels, does not enter), read-only
  revoke USER ACCOUNT                nothing any more; its orders stay: mass-cancel them
  mass-cancel all | [user NAME] [account NUMBER] [symbol SYMBOL] [side buy|sell] [prices FROM TO]
                                     takes off the orders that fit all of it

Prices are whole numbers of 1/10,000: 1002500 is 100.2500.

  wirecross control --topology my.toml state AAPL halt
  wirecross control --topology my.toml state AAPL reopening
  wirecross control --topology my.toml state AAPL continuous";

/// What `wirecross control` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = WORDS)]
pub struct Args {
    /// The venue's topology file.
    #[arg(long)]
    topology: PathBuf,
    /// A word and what it is about, as below.
    #[arg(required = true, allow_negative_numbers = true)]
    words: Vec<String>,
}

/// Runs the command: prints what the engine made of the word. Exit status 1 when the word is wrong,
/// refused, or not heard.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    let said = Topology::load(&args.topology)
        .map_err(|error| error.to_string())
        .and_then(|topology| {
            super::insecure_warn(&topology.data_dir);
            let line = super::bust::completed(&topology, &args.words.join(" "))?;
            say(&topology.data_dir, &line, None)
        });
    match said {
        Ok(told) => {
            println!("{told}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("control: {error}");
            ExitCode::FAILURE
        }
    }
}
