// SPDX-License-Identifier: LGPL-2.1-or-later
// patchcord-fakes: the providers that Patchcord talks to, played by a script.
#include "fake_server.hpp"

#include <glib-unix.h>

#include <cstdio>

int main(int argc, char **argv) {
  using namespace patchcord::fakes;
  int port = 0;
  char *script_file = nullptr;
  const GOptionEntry entries[] = {
      {"port", 'p', 0, G_OPTION_ARG_INT, &port,
       "Port on 127.0.0.1; 0: any free one", "PORT"},
      {"script", 's', 0, G_OPTION_ARG_FILENAME, &script_file,
       "What to play (tests/fakes/script.hpp describes it)", "FILE.json"},
      {nullptr, 0, 0, G_OPTION_ARG_NONE, nullptr, nullptr, nullptr}};
  GOptionContext *options = g_option_context_new(
      "- fakes of OpenAI, ElevenLabs and Twilio's REST API for tests");
  g_option_context_add_main_entries(options, entries, nullptr);
  patchcord::GErrorHolder error;
  const bool parsed =
      g_option_context_parse(options, &argc, &argv, error.out()) != FALSE;
  g_option_context_free(options);
  const patchcord::GCharPtr script_owner(script_file);
  if (!parsed || port < 0 || port > 65535) {
    std::fprintf(stderr, "patchcord-fakes: %s\n",
                 parsed ? "--port: 0 to 65535" : error.message());
    return 2;
  }
  Script script;
  if (script_file != nullptr) {
    auto loaded = load_script(script_file);
    if (!loaded.ok()) {
      std::fprintf(stderr, "patchcord-fakes: %s\n",
                   loaded.error().message.c_str());
      return 2;
    }
    script = std::move(*loaded);
  }
  const FakeServer server(std::move(script), static_cast<std::uint16_t>(port));
  std::printf("listening %u\n", unsigned{server.port()});
  std::fflush(stdout);
  GMainLoop *loop = g_main_loop_new(nullptr, FALSE);
  const auto quit = [](gpointer data) -> gboolean {
    g_main_loop_quit(static_cast<GMainLoop *>(data));
    return G_SOURCE_CONTINUE;
  };
  g_unix_signal_add(SIGINT, quit, loop);
  g_unix_signal_add(SIGTERM, quit, loop);
  g_main_loop_run(loop);
  g_main_loop_unref(loop);
  return 0;
}
