// expect: is_positive\((T|mine)::mac_j\)
#include <dovetail/hardware/energy.hpp>
#include <dovetail/hardware/technology_n7.hpp>

struct mine : dovetail::hardware::n7_technology {
#ifdef SHOULD_FAIL
    static constexpr double mac_j = 0;
#endif
};

template <dovetail::hardware::energy_technology T>
constexpr double joules_of_a_mac = T::mac_j;

static_assert(joules_of_a_mac<mine> > 0);
