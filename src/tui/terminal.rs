//! The terminal: events in, frames out, and what the state asks to be done outside.

use super::action::Action;
use super::cells::Careful;
use super::data::Data;
use super::reduce::reduce;
use super::state::{Effect, End, Recording, SavedView, State};
use super::verdict::Draft;
use super::view;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ratatui::Terminal;
use ratatui::crossterm::event::{
    self, DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
    Event as Input, KeyEventKind, MouseButton, MouseEventKind,
};
use ratatui::crossterm::execute;
use std::io::{self, Stdout, Write as _};
use std::time::Duration;

/// How long the review waits for a key before it looks for a newer run.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the review cannot do by itself and the command does for it. Messages are for the user.
pub trait Outside {
    /// Records decisions, and waits until they are on the disk.
    ///
    /// # Errors
    /// Why they are not.
    fn record(&mut self, data: &Data<'_>, drafts: Vec<Draft>) -> Result<Recording, String>;
    /// The command that opens a place: program and arguments.
    ///
    /// # Errors
    /// Why there is none.
    fn editor(&mut self, repository: Option<&str>, uri: &str, line: u32) -> Result<(), String>;
    /// Writes rows to a file.
    ///
    /// # Errors
    /// Why it could not.
    fn export(
        &mut self,
        file: &str,
        titles: &[String],
        rows: &[Vec<String>],
    ) -> Result<String, String>;
    /// Keeps the saved filters.
    ///
    /// # Errors
    /// Why it could not.
    fn keep_views(&mut self, views: &[SavedView]) -> Result<(), String>;
    /// Stops the program until the shell wakes it.
    fn suspend(&mut self);
    /// Whether somebody asked the program to end.
    fn ended(&self) -> bool;
    /// The id of the newest run.
    fn newest(&mut self) -> Option<String>;
}

/// Opens the review and returns when the user leaves it or wants another run. The terminal is restored whatever happens.
///
/// # Errors
/// When the terminal cannot be used.
pub fn run(state: &mut State<'_>, outside: &mut dyn Outside, mouse: bool) -> io::Result<End> {
    let mut terminal = taken()?;
    let _taken = Taken { mouse };
    prepare(mouse)?;
    turn(state, outside, &mut terminal, mouse)
}

/// Takes the terminal; a panic gives it back.
fn taken() -> io::Result<Terminal<Careful<Stdout>>> {
    ratatui::try_init()?;
    Terminal::new(Careful::stdout())
}

/// The terminal, which is given back when this goes, also by a panic.
struct Taken {
    mouse: bool,
}

impl Drop for Taken {
    fn drop(&mut self) {
        release(self.mouse);
        // After a panic the hook has done it, and what it told stands where the cursor was.
        if !std::thread::panicking() {
            ratatui::restore();
        }
    }
}

fn prepare(mouse: bool) -> io::Result<()> {
    execute!(io::stdout(), EnableBracketedPaste)?;
    if mouse {
        execute!(io::stdout(), EnableMouseCapture)?;
    }
    Ok(())
}

fn release(mouse: bool) {
    // A terminal that is gone cannot be put in order.
    if mouse {
        let _ = execute!(io::stdout(), DisableMouseCapture);
    }
    let _ = execute!(io::stdout(), DisableBracketedPaste);
}

fn turn(
    state: &mut State<'_>,
    outside: &mut dyn Outside,
    terminal: &mut Terminal<Careful<Stdout>>,
    mouse: bool,
) -> io::Result<End> {
    loop {
        terminal.draw(|frame| view::draw(state, frame))?;
        let actions = next_actions(state, outside)?;
        for action in actions {
            for effect in reduce(state, action) {
                perform(effect, state, outside, terminal, mouse)?;
            }
            if let Some(end) = state.end.take() {
                return Ok(end);
            }
        }
        if outside.ended() {
            return Ok(End::Quit);
        }
    }
}

/// Waits for an event, and takes all that are there: a frame shows what they come to.
fn next_actions(state: &mut State<'_>, outside: &mut dyn Outside) -> io::Result<Vec<Action>> {
    let mut actions = Vec::new();
    if !event::poll(PATIENCE)? {
        if state.newer.is_none() {
            let newest = outside.newest();
            state.newer = newest.filter(|id| *id != state.data.report.run.id);
        }
        return Ok(actions);
    }
    loop {
        match event::read()? {
            // The mode decides what a key means, and an action may change the mode.
            Input::Key(key) if key.kind != KeyEventKind::Release => {
                actions.extend(state.settings.keymap.action(state.mode, key));
                return Ok(actions);
            }
            Input::Paste(text) => {
                let letters = text.chars().filter(|letter| !letter.is_control());
                actions.extend(letters.map(Action::Type));
            }
            Input::Mouse(mouse) => actions.extend(match mouse.kind {
                MouseEventKind::Down(MouseButton::Left) => {
                    Some(Action::Click(mouse.column, mouse.row))
                }
                MouseEventKind::ScrollDown => Some(Action::Wheel(true)),
                MouseEventKind::ScrollUp => Some(Action::Wheel(false)),
                _ => None,
            }),
            _ => {}
        }
        if !event::poll(Duration::ZERO)? {
            return Ok(actions);
        }
    }
}

fn perform(
    effect: Effect,
    state: &mut State<'_>,
    outside: &mut dyn Outside,
    terminal: &mut Terminal<Careful<Stdout>>,
    mouse: bool,
) -> io::Result<()> {
    match effect {
        Effect::Record(drafts) => match outside.record(&state.data, drafts) {
            Ok(recording) => state.recorded(recording),
            Err(why) => state.refused(why),
        },
        Effect::Copy(text) => {
            // OSC 52: the terminal's own clipboard, also through ssh and tmux.
            let encoded = BASE64_STANDARD.encode(text);
            write!(io::stdout(), "\x1b]52;c;{encoded}\x07")?;
            io::stdout().flush()?;
        }
        Effect::Edit(repository, uri, line) => {
            let opened = away(terminal, mouse, || {
                outside.editor(repository.as_deref(), &uri, line)
            })?;
            if let Err(why) = opened {
                state.notice = Some(why);
            }
        }
        Effect::Export { file, titles, rows } => {
            let written = outside.export(&file, &titles, &rows);
            state.notice = Some(written.unwrap_or_else(|why| why));
        }
        Effect::KeepViews(views) => {
            if let Err(why) = outside.keep_views(&views) {
                state.notice = Some(why);
            }
        }
        Effect::Suspend => away(terminal, mouse, || outside.suspend())?,
    }
    Ok(())
}

/// Gives the terminal back while something else has it.
fn away<T>(
    terminal: &mut Terminal<Careful<Stdout>>,
    mouse: bool,
    other: impl FnOnce() -> T,
) -> io::Result<T> {
    release(mouse);
    ratatui::restore();
    let result = other();
    *terminal = taken()?;
    prepare(mouse)?;
    terminal.clear()?;
    Ok(result)
}
