// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/clause_splitter.hpp"
#include "agent/definition.hpp"
#include "agent/dialogue.hpp"
#include "agent/mind.hpp"
#include "agent/resumption.hpp"
#include "agent/turn_policy.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

// The conversation of one call as a state machine: what happens goes in with
// its time, what is to be done comes out. All times are running times of the
// call. It never asks what time it is, and does nothing by itself.
namespace patchcord::agent {

// What the sink tells about an utterance (events::Playout).
struct PlayoutReport {
  enum class What { kStarted, kProgress, kEnded, kCut, kHeld };
  What what = What::kStarted;
  std::uint32_t utterance = 0;
  std::optional<TimePoint> time, first_audio, first_sent;
  std::uint64_t heard_ms = 0;
  std::string heard_text;
};

struct Failure {
  std::string provider, code, message;
  bool retryable = false;
};

// --- what is to be done ------------------------------------------------------

namespace action {
struct StartUtterance {
  std::uint32_t utterance;
  bool interruptible;
};
struct Say {
  std::uint32_t utterance;
  std::string text; // a clause
};
struct EndUtterance {
  std::uint32_t utterance;
};
struct Hold {};   // be silent now, and keep the rest
struct Resume {}; // go on with it
struct Flush {};  // be silent now, and drop it
struct StartRequest {
  std::uint32_t request;
  std::string body;
};
struct CancelRequest {};
struct RunTool {
  std::uint32_t run;
  ToolRequest request;
};
struct CancelTools {}; // all that run
struct Expect {
  Expectation expectation;
};
struct SetTimer {
  std::optional<TimePoint> deadline; // none: no timer
};
struct EndCall {}; // EOS behind the last words
// The call is to be handed over when the last words have been heard.
struct Transfer {
  std::uint32_t turn;
  TransferTarget target;
  // For who takes the call; "{caller}" in it is the caller's number, or
  // `withheld`. Empty: nothing is told.
  std::string summary, withheld;
  std::string language;
  std::string state; // a Resumption as JSON: to go on if nobody takes it
};
// What the network says about who answered a call that we placed, and what
// comes of it: "goes_on", "message" (it is left), "hang_up", "waits" (for the
// end of a machine's greeting), or "late".
struct AnsweredBy {
  std::string who, outcome;
};
// For the outside; the fields are those of graph/messages.hpp.
struct Decided {
  std::uint32_t turn, utterance;
  std::string caller, action, message, extracted;
  Found found;
};
struct Heard {
  std::uint32_t turn, utterance;
  std::string state, text;
  std::uint64_t heard_ms;
};
struct Interrupted {
  std::uint32_t turn, utterance;
  std::string heard_text;
  std::uint64_t heard_ms;
};
struct Latency {
  std::uint32_t turn;
  std::optional<TimePoint> speech_end, transcript, decision, first_audio,
      first_sent;
  bool filler = false;         // what was heard first only filled the wait
  bool preemptive = false;     // thought of before the words were known
  std::uint32_t discarded = 0; // answers thought of that nobody asked for
};
struct ToolEnded {
  std::uint32_t turn;
  std::string name, status;
  Duration took;
};
struct Trouble {
  Failure failure;
  bool fatal;
};
struct Ended {
  std::string reason;
  bool goal_reached;
  Found found;
};
} // namespace action

using Action = std::variant<
    action::StartUtterance, action::Say, action::EndUtterance, action::Hold,
    action::Resume, action::Flush, action::StartRequest, action::CancelRequest,
    action::RunTool, action::CancelTools, action::Expect, action::SetTimer,
    action::EndCall, action::Decided, action::Heard, action::Interrupted,
    action::Latency, action::ToolEnded, action::Trouble, action::Ended,
    action::Transfer, action::AnsweredBy>;
using Actions = std::vector<Action>;

class Conversation {
public:
  Conversation(std::shared_ptr<const Definition> definition,
               std::unique_ptr<Mind> mind);

  // Before it starts: it goes on where another media stream ended.
  void resume(Resumption state) { resumption_ = std::move(state); }
  // Before it starts: whoever answered may be a machine, of which
  // answered_by() will tell. The greeting is said at once. Until then words are
  // not answered, for machines talk as well; a key makes out a human being, and
  // so does silence behind words, or that nothing is told for too long.
  void screen() { screen_ = Screen::kWaiting; }

  Actions started(TimePoint now);
  // "human", "machine_start", "machine_end_beep", "machine_end_silence",
  // "machine_end_other", "fax" or "unknown" (Twilio docs, "Answering Machine
  // Detection"). What comes behind the first verdict, or too late, changes
  // nothing.
  Actions answered_by(TimePoint now, const std::string &who);
  // `at`: when the caller began or ceased to speak. Several elements may tell
  // of the same speech: the first word of it counts.
  Actions speech_started(TimePoint now, TimePoint at);
  Actions speech_stopped(TimePoint now, TimePoint at);
  Actions partial(TimePoint now, const std::string &text);
  // `end`: of the audio that the words stand for.
  Actions final(TimePoint now, const std::string &text,
                std::optional<TimePoint> end);
  // The caller said something, and the recogniser could not tell what.
  Actions not_understood(TimePoint now, std::optional<TimePoint> end);
  Actions dtmf(TimePoint now, const std::string &digit);
  Actions playout(TimePoint now, const PlayoutReport &report);
  // An empty `delta` is a sign of life: it calls tools.
  Actions model_text(TimePoint now, std::uint32_t request,
                     const std::string &delta);
  Actions model_done(TimePoint now, std::uint32_t request,
                     const std::string &finish_reason,
                     const std::string &refusal,
                     const std::vector<openai::ToolCall> &calls = {});
  Actions tool_done(TimePoint now, std::uint32_t run,
                    const Result<ToolAnswer> &answer);
  Actions model_failed(TimePoint now, std::uint32_t request,
                       const Failure &failure);
  Actions recogniser_failed(TimePoint now, const Failure &failure);
  Actions voice_failed(TimePoint now, const Failure &failure);
  Actions caller_gone(TimePoint now);
  Actions timer(TimePoint now);

  bool ending() const { return ending_; }
  History history() const { return dialogue_.history(); }

private:
  struct Turn {
    std::uint32_t index = 0;
    std::string caller;
    std::optional<TimePoint> speech_end, transcript, decision;
    bool of_mind = false; // its reply came from the mind
    bool decided = false; // told to the outside
    bool heard = false;   // a part of it, at least
    bool retried = false;
    std::optional<TimePoint> first_audio, first_sent;
    int fillers = 0;
    bool filler_first = false; // it was heard before the reply
    bool latency_told = false;
    bool preemptive = false;
    std::size_t told = 0; // clauses of its utterance, with a decision
  };
  struct ToolRun {
    std::uint32_t id = 0;
    std::string name;
    TimePoint started{};
    bool over = false;
  };
  struct Request {
    std::uint32_t id = 0; // 0: waits for another try, or for tools
    std::string body;
    bool repair = false;
    std::string said; // of the message, before it was asked for again
    std::optional<TimePoint> deadline; // of the first token, or of the try
    std::string streamed;              // of the message, so far
    std::string spoken;                // what of it was given to the voice
    std::vector<ToolRun> runs;         // tools, before it can go on
  };
  // How a model's answer ended.
  struct ModelEnd {
    std::string finish_reason, refusal;
    std::vector<openai::ToolCall> calls;
  };
  // An answer to what the caller seems to say.
  struct Guess {
    std::uint32_t id = 0;
    std::string text, body;
    std::vector<std::string> deltas; // as they came
    std::size_t size = 0;            // of them
    std::optional<ModelEnd> end;
  };
  // The end of the call is decided, and the caller has heard nothing of the
  // words that say so: what he says takes it back.
  struct Closing {
    std::uint32_t utterance = 0;
    std::size_t begin = 0; // of the closing words in it
    bool told = false;     // words of the turn stand before them
    Reply reply;
  };
  enum class Reports { kUnknown, kYes, kNo };

  Actions finish();

  // Turns.
  void await_end_of_turn(TimePoint now, std::optional<TimePoint> end);
  void take_words(TimePoint now, std::string text,
                  std::optional<TimePoint> speech_end);
  void think(TimePoint now, Thought thought);
  // Why what the caller says next would not be taken; null: it would be.
  const char *limit_reached(TimePoint now) const;
  bool keep_to_limits(TimePoint now, Reply &reply) const;
  void begin_request(ModelRequest wanted);
  void begin_answer(TimePoint now);
  void start_request(TimePoint now);
  void take_text(TimePoint now, const std::string &delta);
  void take_end(TimePoint now, const ModelEnd &end);
  void cancel_request(TimePoint now);
  void fail_request(TimePoint now, const Failure &failure);
  void answered(TimePoint now, const Request &done, Thought thought);
  std::vector<std::string> last_clauses(std::string_view rest);
  void say_rest(TimePoint now, const Request &done, const Reply &reply);
  void bad_answer(const std::string &fault);
  void run_tools(TimePoint now, ToolRuns todo);
  void end_run(TimePoint now, std::size_t run, const ToolOutcome &outcome);
  void go_on_if_tools_ended(TimePoint now);
  void cancel_tools(TimePoint now);

  // Keys: conversation_keys.cpp.
  std::string continued(const std::string &before,
                        const std::string &text) const;
  bool awaits_digits() const;
  void keep_words(const std::string &words,
                  std::optional<TimePoint> spoken_until);
  bool has_all_digits(const DigitRules &rules) const;
  void forget_digits(TimePoint now);
  void digits_are_due(TimePoint now);
  void end_digits(TimePoint now);

  // Preemptive thinking.
  void note_partial(TimePoint now, const std::string &text);
  bool may_guess(const std::string &text) const;
  void guess();
  std::optional<std::string> guessed_body(const std::string &text) const;
  void forget_partial();
  void discard_guess();
  void check_guess(const std::string &text);
  bool use_guess(TimePoint now, Thought &thought);
  bool guess_text(std::uint32_t request, const std::string &delta);

  // Speech.
  Utterance &utterance(TimePoint now, bool interruptible, bool waits = true);
  void say(TimePoint now, const std::string &clause);
  void say_filler(TimePoint now, const std::string &phrase);
  void decision_is_known(TimePoint now);
  void tell_latency();
  void speak(TimePoint now, Reply reply);
  void finish_reply(TimePoint now, const Reply &reply);
  void say_last_words(TimePoint now, Reply &reply);
  void decided(const Reply &reply);
  std::string untold();
  void say_and_end(TimePoint now, const std::string &text,
                   const std::string &reason);
  void close_call(const Reply &last);
  void close_if_heard();
  void end_call(const std::string &reason);

  // The network: conversation_network.cpp.
  void reopen(TimePoint now);
  void hand_over(const Reply &reply);
  bool screening() const { return screen_ == Screen::kWaiting; }
  void human(TimePoint now);
  void machine(TimePoint now);
  void leave_nothing(TimePoint now, const std::string &reason);
  void silence_all(TimePoint now);
  void hold_words(TimePoint now);
  void screening_due(TimePoint now);
  std::optional<TimePoint> screening_deadline() const;

  // Interruptions.
  bool is_heard(const Utterance &current) const;
  Utterance *talked_over();
  const Utterance *unheard();
  bool was_asked(TimePoint now, const Utterance &current) const;
  Verdict judge(TimePoint now, const std::string &text, bool final,
                bool speaking);
  void hold(const Utterance &current);
  void hold_if_long_enough(TimePoint now);
  void hold_for_words(TimePoint now);
  void hold_for_partial(TimePoint now, const std::string &text);
  void go_on();
  bool is_no_interruption(TimePoint now);
  bool words_are_due(TimePoint now) const;
  void wait_for_more(TimePoint now, const std::string &text);
  void false_interruption(TimePoint now);
  bool is_served() const;
  bool lets_go_on(TimePoint now);
  void interrupt(TimePoint now);
  void drop_reply(TimePoint now);
  void silence_voice(Utterance &current);
  void words_did_not_come(TimePoint now);

  // Playout.
  void playout_started(TimePoint now, Utterance &which,
                       const PlayoutReport &report);
  void close(Utterance &which, const char *state);

  // Time.
  void due(TimePoint now);
  void time_is_up(TimePoint now);
  bool has_whole_answer() const;
  void break_off(TimePoint now, const std::string &text,
                 const std::string &reason);
  void presume_over(TimePoint now, Utterance &current);
  void caller_is_silent(TimePoint now);
  std::optional<TimePoint> playout_deadline();
  std::optional<TimePoint> silence_deadline();
  std::optional<TimePoint> filler_deadline();
  std::optional<TimePoint> next_deadline();

  template <typename T> void emit(T action) {
    out_.emplace_back(std::move(action));
  }

  const std::shared_ptr<const Definition> definition_;
  const std::unique_ptr<Mind> mind_;
  const TurnPolicy policy_;
  Dialogue dialogue_;
  Findings findings_;
  ClauseSplitter splitter_;
  Actions out_;

  std::optional<Resumption> resumption_;
  enum class Screen {
    kOff,     // a human being, as far as we know
    kWaiting, // nobody has said who it is
    kMachine, // it speaks; its end is awaited
  };
  std::optional<TimePoint> screen_until_, screen_quiet_;
  Screen screen_ = Screen::kOff;

  bool running_ = false, ending_ = false;
  TimePoint started_at_{};
  std::optional<TimePoint> timer_;

  Turn turn_;
  int caller_turns_ = 0;
  std::optional<Request> request_;
  std::uint32_t last_request_ = 0, last_run_ = 0;
  std::optional<Guess> guess_;
  std::optional<TimePoint> guess_due_;
  std::string partial_; // of the words that are not final
  int guesses_ = 0;     // of this turn
  std::uint32_t discarded_ = 0;

  TimePoint said_until_{}; // what was given to the voice, by estimate
  std::size_t next_filler_ = 0;

  // The caller.
  bool speaking_ = false;
  bool has_voice_ = false; // false: nobody spoke so far, words are typed
  TimePoint speech_began_{}, speech_sign_{};
  std::optional<TimePoint> speech_ended_;
  std::optional<TimePoint> words_until_; // of it they may come until then
  TimePoint speech_over_{-1};            // the end of all speech that is over
  std::string interjected_;              // of this speech, as far as is known
  std::optional<TimePoint> listens_due_; // when it is but that
  std::optional<TimePoint> hold_due_;    // when it is long enough to be silent
  bool tells_words_early_ = false; // the recogniser: while they are spoken
  bool served_ = false;            // while he began to say this
  bool excused_ = false;           // it was found to be no interruption
  // The utterance whose question was out when it was, without a word.
  std::uint32_t asked_ = 0;
  std::string held_;       // words of a turn that is not over
  TimePoint words_came_{}; // the last of them
  std::optional<TimePoint> words_due_;
  std::string digits_; // by keys
  TimePoint digits_began_{};
  std::optional<TimePoint> digits_due_;
  TimePoint digits_full_until_{}; // keys of the same run are too many
  TimePoint digits_until_{};      // no longer than that, unless words come
  TimePoint quiet_since_{};
  TimePoint eventless_since_{}; // the same, whatever noise there was

  std::optional<Closing> closing_;

  int silence_prompts_ = 0;
  // What is known of the caller's ear.
  Reports reports_ = Reports::kUnknown;
  std::uint32_t on_hold_ = 0; // by speech that may be no interruption
  std::uint32_t cut_ = 0;     // its heard text is to come
  std::optional<TimePoint> cut_due_;
};

} // namespace patchcord::agent
