#include <array>

#include "enrich/geo_database.h"

namespace playhead::enrich {
namespace {

struct Continent {
    std::string_view code;
    std::string_view countries;  ///< ISO 3166-1 alpha-2, separated by single spaces
};

// ISO 3166-1 by UN M49 regions, with the Americas split as GeoNames does (and MaxMind after it).
constexpr std::array kContinents{
    Continent{"AF",
              "AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW KE KM LR LS LY "
              "MA MG ML MR MU MW MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TG TN TZ UG YT ZA "
              "ZM ZW"},
    Continent{"AN", "AQ BV GS HM TF"},
    Continent{"AS",
              "AE AF AM AZ BD BH BN BT CC CN CX GE HK ID IL IN IO IQ IR JO JP KG KH KP KR KW KZ LA "
              "LB LK MM MN MO MV MY NP OM PH PK PS QA SA SG SY TH TJ TM TR TW UZ VN YE"},
    Continent{"EU",
              "AD AL AT AX BA BE BG BY CH CY CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT "
              "JE LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA XK"},
    Continent{"NA",
              "AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS "
              "MX NI PA PM PR SV SX TC TT US VC VG VI"},
    Continent{"OC",
              "AS AU CK FJ FM GU KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TL TO TV UM VU WF WS"},
    Continent{"SA", "AR BO BR CL CO EC FK GF GY PE PY SR UY VE"},
};

}  // namespace

std::string_view continent_of_country(std::string_view country) noexcept {
    if (country.size() != 2 || country.find(' ') != std::string_view::npos) return {};
    for (const auto& [code, countries] : kContinents) {
        if (countries.find(country) != std::string_view::npos) return code;
    }
    return {};
}

}  // namespace playhead::enrich
