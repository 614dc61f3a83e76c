/// The fixed part of the world: countries, networks, CDNs, devices, ladders. Throughputs are chosen
/// so that most homes play the top rendition and cellular ones do not.
#pragma once

#include <vector>

#include "simulator/world.h"

namespace playhead::simulator {

std::vector<Country> make_countries();
std::vector<Cdn> make_cdns();
std::vector<Device> make_devices();
std::vector<Rendition> make_ladder(int fps);

}  // namespace playhead::simulator
