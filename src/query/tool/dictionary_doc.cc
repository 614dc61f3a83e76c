// Prints docs/dictionary.md: `dictionary_doc > docs/dictionary.md`.
#include <cstdio>

#include "query/envelope.h"

int main() {
    const auto dictionary = playhead::query::Dictionary::load();
    if (!dictionary) {
        std::fprintf(stderr, "dictionary_doc: %s\n", dictionary.error().message.c_str());
        return 1;
    }
    std::fputs(playhead::query::dictionary_markdown(*dictionary).c_str(), stdout);
    return 0;
}
