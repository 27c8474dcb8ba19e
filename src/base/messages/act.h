// What a user reads about plans: why one is not run, what went wrong, what can't be taken back.
#pragma once
#include <string_view>

namespace estiva::msg::act {

// --- plans and their hash ----------------------------------------------------------------------
inline constexpr std::string_view kPlanUnreadable = "a stored plan can't be read: {}";
inline constexpr std::string_view kPlanUnreadableHow =
    "It is damaged; the files that it saved are in its folder, and can be put back by hand";
inline constexpr std::string_view kHashWrong =
    "the plan {} is not the one that was shown: its hash is {}, not {}";
inline constexpr std::string_view kHashWrongHow =
    "Nothing was changed. Look at the plan again, then apply what it shows now";

// --- preconditions -----------------------------------------------------------------------------
inline constexpr std::string_view kRefused = "nothing was changed, because {}";
inline constexpr std::string_view kRefusedMore = "{}; and {} more";
inline constexpr std::string_view kRefusedHow =
    "See to that, then make the plan again and look at what it shows";
inline constexpr std::string_view kChangedWhilePlanned =
    "{} was changed while the plan was made, so there is no plan";
inline constexpr std::string_view kChangedWhilePlannedHow = "Nothing was changed. Try again";
inline constexpr std::string_view kChanged =
    "{} has changed since the plan was made: it was {}, and now it is {}";
inline constexpr std::string_view kWasAbsent = "absent";
inline constexpr std::string_view kWasFile = "a file with the SHA-256 {}";
inline constexpr std::string_view kWasLink = "a symbolic link to {}";
inline constexpr std::string_view kWasFolder = "a folder";
inline constexpr std::string_view kWasNode = "the device {}";
inline constexpr std::string_view kWasOther = "something that is not a file";
inline constexpr std::string_view kWasWord = "'{}'";
inline constexpr std::string_view kNotAbsolute = "'{}' is not an absolute path";
inline constexpr std::string_view kBadPath = "'{}' is not a path that can be changed";
inline constexpr std::string_view kTooManyLinks = "{} is a symbolic link that leads to no end";
inline constexpr std::string_view kNotReplaced = "{} is {}, which is never replaced";
inline constexpr std::string_view kParentNotFolder = "{} is in the way: it is not a folder";
inline constexpr std::string_view kReadOnly = "{} is on a read-only file system";
inline constexpr std::string_view kImmutable =
    "{} is protected by the attribute '{}' (lsattr shows it, chattr -{} takes it away)";
inline constexpr std::string_view kFileTooLarge =
    "{} has {}, and at most {} are kept for the undo of one file";
inline constexpr std::string_view kBadUnit = "'{}' is not the name of a systemd unit";
inline constexpr std::string_view kBadModule = "'{}' is not the name of a kernel module";
inline constexpr std::string_view kBadSysctl = "'{}' is not the name of a kernel setting";
inline constexpr std::string_view kNoSysctl = "this kernel has no setting {}";
inline constexpr std::string_view kBadGpu = "'{}' is not the UUID of a GPU";
inline constexpr std::string_view kBadComputeMode = "'{}' is not a compute mode";
inline constexpr std::string_view kNoComputeMode = "nvidia-smi does not say the compute mode of {}";
inline constexpr std::string_view kNoComputeModeHow =
    "'nvidia-smi -L' lists the GPUs that the driver has";
inline constexpr std::string_view kBadBoolean = "'{}' is not the name of a boolean of SELinux";
inline constexpr std::string_view kBadSwitch = "'{}' is neither on nor off";
inline constexpr std::string_view kNoBoolean = "this system's SELinux policy has no boolean {}";
inline constexpr std::string_view kBadNode = "'{}' does not describe a device node";
inline constexpr std::string_view kNoMode = "the step for {} gives no mode";
inline constexpr std::string_view kNothingThere = "{} does not exist";
inline constexpr std::string_view kNoGenerator = "nothing here can make {}";

// --- effects -----------------------------------------------------------------------------------
inline constexpr std::string_view kReading = "reading {}";
inline constexpr std::string_view kWriting = "writing {}";
inline constexpr std::string_view kWritingFull =
    "there is no room to write {}; what was there is whole";
inline constexpr std::string_view kWritingFullHow = "Free some space there, then try again";
inline constexpr std::string_view kWritingHow =
    "Check that the folder is not read-only or protected, and that this user may write there";
inline constexpr std::string_view kRemoving = "removing {}";
inline constexpr std::string_view kMakingFolder = "making the folder {}";
inline constexpr std::string_view kSettingMode = "setting the mode of {}";
inline constexpr std::string_view kSettingSysctl = "setting {}";
inline constexpr std::string_view kChangedMeanwhile =
    "{} was changed by somebody else at this moment, so it was left alone";
inline constexpr std::string_view kChangedMeanwhileHow = "Make the plan again";
inline constexpr std::string_view kNoProgram = "there is no program '{}'";
inline constexpr std::string_view kNoProgramHow = "Install it, or add its folder to PATH";
inline constexpr std::string_view kProgramSlow = "'{}' did not end within {} s";
inline constexpr std::string_view kProgramSlowUnitHow =
    "systemd may still be at it: 'systemctl status {}' shows how far it is";
inline constexpr std::string_view kProgramSignal = "'{}' was ended by signal {}: {}";
inline constexpr std::string_view kProgramFailed = "'{}' failed with exit code {}: {}";
inline constexpr std::string_view kProgramFailedHow = "Its own words above say why";
inline constexpr std::string_view kSaidNothing = "it said nothing";

// --- a run -------------------------------------------------------------------------------------
inline constexpr std::string_view kStepFailed = "step {} of {} ({}) failed: {}";
inline constexpr std::string_view kStepFailedHow =
    "{}. Then '{}' goes on, or '{}' takes back what was done so far";
inline constexpr std::string_view kStepFailedFirstHow = "{}. Nothing was changed; then try again";
inline constexpr std::string_view kIsSoAlready = "it is so already";
inline constexpr std::string_view kNoSystemd =
    "systemd does not run here: it takes effect when this system is started";
inline constexpr std::string_view kInterrupted =
    "the run {} ({}) was interrupted after {} of its {} steps";
inline constexpr std::string_view kInterruptedHow =
    "'{}' goes on with it, '{}' takes it back; nothing else is changed until then";
inline constexpr std::string_view kInterruptedUndo = "the undo of the run {} ({}) was interrupted";
inline constexpr std::string_view kInterruptedUndoHow = "'{}' goes on with it";
inline constexpr std::string_view kCantContinue =
    "the run {} can't be continued: {} is neither as it was before the step nor as after it, but "
    "{}";
inline constexpr std::string_view kCantContinueHow = "Undo the run instead";
inline constexpr std::string_view kNotInterrupted = "the run {} was not interrupted";
inline constexpr std::string_view kNotInterruptedHow = "There is nothing to continue";

// --- undo --------------------------------------------------------------------------------------
inline constexpr std::string_view kDrift =
    "{} was changed since: the run left it as {}, and now it is {}";
inline constexpr std::string_view kDriftMode =
    "{} was changed since: the run left it with the mode {:04o} and the owner {}:{}, and now it "
    "has "
    "{:04o} and {}:{}";
inline constexpr std::string_view kDriftHow =
    "Nothing was changed. Undo the rest and leave that alone (--keep-going), or put back what was "
    "there before all the same (--force; what is there now is kept in the journal)";
inline constexpr std::string_view kUndoneAlready = "it is as it was before";
inline constexpr std::string_view kNeverDone = "it was never done";
inline constexpr std::string_view kLeftAlone = "{}, so it was left alone";
inline constexpr std::string_view kModuleKept = "the module {} stays loaded: {}";
inline constexpr std::string_view kUndoFailed = "{} of {} steps could not be undone: {}";
inline constexpr std::string_view kUndoFailedHow =
    "{}. Then undo again: it goes on where it stopped";
inline constexpr std::string_view kSavedDamaged =
    "what the run {} saved of {} is damaged, so it was not put back";
inline constexpr std::string_view kSavedDamagedHow = "Put it back from a backup of your own";

// --- the journal -------------------------------------------------------------------------------
inline constexpr std::string_view kJournalFolder = "opening the journal of plans in {}";
inline constexpr std::string_view kJournalFolderHow =
    "Run this as root, or name another folder with ESTIVA_STATE_DIR";
inline constexpr std::string_view kJournalBusy =
    "another estiva is changing this machine at the moment (it holds {})";
inline constexpr std::string_view kJournalBusyHow = "Wait until it has ended, then try again";
inline constexpr std::string_view kJournalWrite = "writing the journal in {}";
inline constexpr std::string_view kJournalWriteHow =
    "Without the journal nothing is changed. Free some space there, or make it writable";
inline constexpr std::string_view kJournalDamaged =
    "the journal {} is damaged in line {}, so this run can't be continued or undone by itself";
inline constexpr std::string_view kJournalDamagedHow =
    "The files that it saved are in the folder saved/ beside it, and can be put back by hand";
inline constexpr std::string_view kRunUnread = "what the run {} did can't be read: {}";
inline constexpr std::string_view kRunUnreadHow =
    "Nothing else is changed meanwhile. When all is as it should be, move {}/{} away";
inline constexpr std::string_view kJournalNewer =
    "the journal {} was written by a newer estiva (version {}, this one knows {})";
inline constexpr std::string_view kJournalNewerHow = "Use that newer estiva";
inline constexpr std::string_view kNoRun = "there is no run {}";
inline constexpr std::string_view kNoRunHow = "The journal in {} lists those that there are";
inline constexpr std::string_view kTooManyRuns =
    "the journal in {} holds {} runs, and that is the most it keeps";
inline constexpr std::string_view kTooManyRunsHow = "Undo runs that are no longer needed";

}  // namespace estiva::msg::act
