// Commands that are asked to end early: by a signal, which they really get, and by `--time-limit`.
#include <support/command_line.hpp>

#include <dovetail/core/random.hpp>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace dovetail::test {
namespace {

/// A command under way. Its standard error is a terminal, so that it tells how far it is; what it prints
/// otherwise goes to a file, or to where the caller says.
class command_under_way {
public:
    command_under_way(const std::filesystem::path& folder, std::vector<std::string> arguments,
                      int standard_output = -1, std::initializer_list<int> ignored = {}) {
        terminal_ = ::posix_openpt(O_RDWR | O_NOCTTY);
        EXPECT_TRUE(terminal_ >= 0 && ::grantpt(terminal_) == 0 && ::unlockpt(terminal_) == 0);
        const std::string name = ::ptsname(terminal_);
        arguments.insert(arguments.begin(), DOVETAIL_CLI);
        std::vector<char*> words;
        for (std::string& word : arguments) words.push_back(word.data());
        words.push_back(nullptr);
        const std::string printed = (folder / "stdout.txt").string();
        process_ = ::fork();
        if (process_ != 0) return;
        for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::signal(number, SIG_DFL);
        for (const int number : ignored) ::signal(number, SIG_IGN);
        const int out = standard_output >= 0 ? standard_output
                                             : ::open(printed.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        const int err = ::open(name.c_str(), O_WRONLY | O_NOCTTY);
        const int in = ::open("/dev/null", O_RDONLY);
        ::dup2(in, 0);
        ::dup2(out, 1);
        ::dup2(err, 2);
        if (::chdir(folder.c_str()) == 0) ::execv(words[0], words.data());
        ::_exit(127);
    }
    ~command_under_way() {
        if (!ended_) {
            ::kill(process_, SIGKILL);
            ::waitpid(process_, &status_, 0);
        }
        ::close(terminal_);
    }
    command_under_way(const command_under_way&) = delete;
    command_under_way& operator=(const command_under_way&) = delete;

    void send(int number) const { ::kill(process_, number); }

    /// Waits until what it tells holds `words`; false where it ends before.
    [[nodiscard]] bool tells(const std::string& words) {
        return wait_for([&] { return told_.find(words) != std::string::npos; });
    }
    /// Waits until it has a handler for a signal; false where it ends before.
    [[nodiscard]] bool heeds(int number) {
        return wait_for([&] { return has_signal("SigCgt:", number); });
    }
    [[nodiscard]] bool ignores(int number) const { return has_signal("SigIgn:", number); }

    /// Waits for its end. \returns the exit status, -1 where a signal ended it.
    [[nodiscard]] int exit() {
        static_cast<void>(wait_for([] { return false; }));
        return ended_ && WIFEXITED(status_) ? WEXITSTATUS(status_) : -1;
    }
    /// Waits for a while. \returns whether it has ended.
    [[nodiscard]] bool ends_within(std::chrono::milliseconds time) {
        static_cast<void>(wait_for([] { return false; }, time));
        return ended_;
    }
    /// The signal that ended it; 0 where none did.
    [[nodiscard]] int killed_by() const { return ended_ && WIFSIGNALED(status_) ? WTERMSIG(status_) : 0; }
    [[nodiscard]] const std::string& told() const { return told_; }

private:
    template <class Condition>
    bool wait_for(const Condition& holds, std::chrono::milliseconds most = std::chrono::minutes(4)) {
        const auto until = std::chrono::steady_clock::now() + most;
        for (;;) {
            read_terminal();
            if (holds()) return true;
            if (!ended_) ended_ = ::waitpid(process_, &status_, WNOHANG) == process_;
            if (ended_ || std::chrono::steady_clock::now() > until) return false;
        }
    }
    void read_terminal() {
        pollfd readable{.fd = terminal_, .events = POLLIN, .revents = 0};
        if (::poll(&readable, 1, 2) != 1 || (readable.revents & POLLIN) == 0) {
            std::this_thread::sleep_for(std::chrono::milliseconds(2)); // a closed terminal answers at once
            return;
        }
        char text[4096];
        const auto count = ::read(terminal_, text, sizeof text);
        if (count > 0) told_.append(text, static_cast<std::size_t>(count));
    }
    [[nodiscard]] bool has_signal(const std::string& field, int number) const {
        std::ifstream status("/proc/" + std::to_string(process_) + "/status");
        for (std::string line; std::getline(status, line);)
            if (line.starts_with(field))
                return (std::stoull(line.substr(field.size()), nullptr, 16) >> (number - 1) & 1) != 0;
        return false;
    }

    pid_t process_ = -1;
    int terminal_ = -1;
    int status_ = 0;
    bool ended_ = false;
    std::string told_;
};

/// A search of minutes whose first chips are evaluated in a moment.
std::vector<std::string> long_search() {
    return {"search", "--model",     "bert-large", "--micro-batches", "1", "--hbm-gib",
            "80",     "--recompute", "0",          "--tensor-widths", "1"};
}

std::vector<std::string> with(std::vector<std::string> words, const std::vector<std::string>& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

json whole_json(const std::string& text) {
    json value = json::parse(text, nullptr, false);
    EXPECT_FALSE(value.is_discarded()) << "half a file: " << text.substr(0, 200);
    return value;
}

/// Jobs on four scarce resources: far more than any search here proves.
std::string hard_project_text(int jobs) {
    random_source random(7);
    const auto draw = [&](int low, int high) { return static_cast<int>(random.integer(low, high)); };
    std::vector<std::set<int>> after(static_cast<std::size_t>(jobs) + 3); // by number of the job
    for (int job = 2; job <= jobs + 1; ++job) {
        after[1].insert(job);
        after[static_cast<std::size_t>(job)].insert(jobs + 2);
        if (job > 4) after[static_cast<std::size_t>(draw(std::max(2, job - 30), job - 1))].insert(job);
    }
    const std::string stars(72, '*');
    std::string text = "file with basedata            : x.bas\nprojects                      :  1\n"
                       "jobs (incl. supersource/sink ):  " +
                       std::to_string(jobs + 2) +
                       "\nhorizon                       :  " + std::to_string(10 * jobs) +
                       "\nRESOURCES\n  - renewable                 :  4   R\n"
                       "  - nonrenewable              :  0   N\n  - doubly constrained        :  0   D\n" +
                       stars + "\nPRECEDENCE RELATIONS:\njobnr.    #modes  #successors   successors\n";
    for (int job = 1; job <= jobs + 2; ++job) {
        const auto& next = after[static_cast<std::size_t>(job)];
        text += std::to_string(job) + " 1 " + std::to_string(next.size());
        for (const int other : next) text += ' ' + std::to_string(other);
        text += '\n';
    }
    text += stars + "\nREQUESTS/DURATIONS:\njobnr. mode duration  R 1  R 2  R 3  R 4\n" +
            std::string(72, '-') + '\n';
    for (int job = 1; job <= jobs + 2; ++job) {
        const bool real = job > 1 && job < jobs + 2;
        text += std::to_string(job) + " 1 " + std::to_string(real ? draw(1, 10) : 0);
        for (int r = 0; r < 4; ++r) text += ' ' + std::to_string(real ? draw(0, 9) : 0);
        text += '\n';
    }
    return text + stars + "\nRESOURCEAVAILABILITIES:\n  R 1  R 2  R 3  R 4\n  14  16  13  18\n" + stars +
           '\n';
}

/// More downsets than any search here looks at, however long it takes: no optimum is proved.
json wide_device_instance() {
    constexpr int nodes = 120;
    json instance{{"maxSizePerFPGA", 1000}, {"maxFPGAs", 5}, {"maxCPUs", 1}};
    for (int id = 0; id < nodes; ++id)
        instance["nodes"].push_back({{"id", id},
                                     {"supportedOnFpga", true},
                                     {"cpuLatency", 100 + id * id % 17},
                                     {"fpgaLatency", 10 + id * id % 13},
                                     {"isBackwardNode", false}});
    for (int id = 11; id < nodes; ++id)
        for (const int back : {11, 17})
            if (id >= back)
                instance["edges"].push_back(
                    {{"sourceId", id - back}, {"destId", id}, {"cost", 1 + (id - back) % 4}});
    return instance;
}

TEST_F(Cli, ASignalEndsASearchWithItsBestSoFar) {
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
        SCOPED_TRACE(number);
        command_under_way search(path(""), with(long_search(), {"--json", "a.json", "--html", "a.html"}));
        ASSERT_TRUE(search.tells(" chips, best ")) << search.told();
        search.send(number);
        EXPECT_EQ(search.exit(), 4) << search.told();
        const json found = whole_json(read("a.json"));
        EXPECT_EQ(found.at("status"), "budget");
        EXPECT_EQ(found.at("search").at("complete"), false);
        const auto evaluated = found.at("search").at("evaluated").get<std::size_t>();
        EXPECT_GE(evaluated, 256U) << "the first line of progress comes after so many";
        EXPECT_GT(found.at("search").at("pruned").get<std::size_t>(), 0U);
        ASSERT_FALSE(found.at("best").is_null());
        // The most that area buys among all that were evaluated.
        EXPECT_EQ(found.at("best").at("throughput_samples_per_s"),
                  found.at("frontier").back().at("throughput_samples_per_s"));
        EXPECT_NE(read("a.html").find("</html>"), std::string::npos);
        const std::string table = read("stdout.txt");
        EXPECT_NE(table.find("budget: "), std::string::npos) << table;
        EXPECT_NE(table.find("ended early, after "), std::string::npos) << table;
    }
}

// Whatever the moment: a plan, or none yet, and then nobody says that there is one.
TEST_F(Cli, ASignalBeforeTheFirstChipLeavesNoPlan) {
    command_under_way search(path(""), {"search", "--model", "gpt3-175b", "--json", "a.json", "--quiet"});
    ASSERT_TRUE(search.heeds(SIGTERM));
    search.send(SIGTERM);
    EXPECT_EQ(search.exit(), 4) << search.told();
    const json found = whole_json(read("a.json"));
    EXPECT_EQ(found.at("status"), "budget");
    EXPECT_EQ(found.at("best").is_null(), found.at("search").at("evaluated") == 0);
    EXPECT_EQ(found.at("search").at("complete"), false);
}

// The answer goes to a pipe that is full, so that the command cannot end by itself.
TEST_F(Cli, ASecondSignalKills) {
    for (const auto& [first, second] : {std::pair{SIGINT, SIGINT}, std::pair{SIGTERM, SIGHUP}}) {
        int ends[2];
        ASSERT_EQ(::pipe(ends), 0);
        const int flags = ::fcntl(ends[1], F_GETFL);
        ::fcntl(ends[1], F_SETFL, flags | O_NONBLOCK);
        while (::write(ends[1], "x", 1) == 1) {
        }
        ::fcntl(ends[1], F_SETFL, flags);
        command_under_way search(path(""), with(long_search(), {"--json", "-", "--html", "a.html"}), ends[1]);
        ASSERT_TRUE(search.tells(" chips, best ")) << search.told();
        search.send(first);
        EXPECT_FALSE(search.ends_within(std::chrono::milliseconds(500))) << "it ends by itself";
        while (!search.ends_within(std::chrono::milliseconds(100))) search.send(second);
        EXPECT_EQ(search.killed_by(), second);
        if (const std::string page = read("a.html"); !page.empty()) {
            EXPECT_NE(page.find("</html>"), std::string::npos) << "half a page";
        }
        ::close(ends[0]);
        ::close(ends[1]);
    }
}

// `timeout` sends its signal to the command and to its group: one and the same, twice.
TEST_F(Cli, TheSameSignalTwiceAtOnceIsOne) {
    command_under_way search(path(""), with(long_search(), {"--json", "a.json", "--quiet"}));
    ASSERT_TRUE(search.heeds(SIGINT));
    for (int k = 0; k < 3; ++k) search.send(SIGINT);
    EXPECT_EQ(search.exit(), 4) << search.killed_by();
    EXPECT_EQ(whole_json(read("a.json")).at("status"), "budget");
}

TEST_F(Cli, ASignalThatTheCallerIgnoresStaysIgnored) {
    command_under_way search(path(""), with(long_search(), {"--json", "a.json", "--quiet"}), -1, {SIGHUP});
    ASSERT_TRUE(search.heeds(SIGINT));
    EXPECT_TRUE(search.ignores(SIGHUP));
    search.send(SIGHUP);
    EXPECT_FALSE(search.ends_within(std::chrono::milliseconds(300)));
    search.send(SIGINT);
    EXPECT_EQ(search.exit(), 4);
}

TEST_F(Cli, ASignalEndsAScheduleWithItsBestSoFar) {
    // GLPK answers between two relaxations: small ones do not keep it long.
    for (const auto& [solver, jobs] : {std::pair<std::string, int>{"exact", 200}, {"glpk", 40}}) {
        SCOPED_TRACE(solver);
        write("hard.sm", hard_project_text(jobs));
        command_under_way scheduling(path(""), {"schedule", "hard.sm", "--format", "psplib", "--solver",
                                                solver, "--json", "a.json", "--html", "a.html", "--quiet"});
        ASSERT_TRUE(scheduling.heeds(SIGINT));
        scheduling.send(SIGINT);
        EXPECT_EQ(scheduling.exit(), 4) << scheduling.told();
        const json found = whole_json(read("a.json"));
        EXPECT_EQ(found.at("status"), "budget");
        EXPECT_EQ(found.at("tasks").size(), static_cast<std::size_t>(jobs) + 2);
        EXPECT_LE(found.at("lower_bound").get<double>(), found.at("makespan").get<double>());
        EXPECT_NE(read("a.html").find("</html>"), std::string::npos);
    }
}

TEST_F(Cli, ASignalEndsAPlacementWithItsBestSoFar) {
    write("wide.json", wide_device_instance().dump());
    for (const std::string format : {"max-load", "latency"}) {
        SCOPED_TRACE(format);
        command_under_way placing(path(""), {"place", "wide.json", "--format", format, "--time-limit", "600",
                                             "--json", "a.json", "--quiet"});
        ASSERT_TRUE(placing.heeds(SIGHUP));
        placing.send(SIGHUP);
        EXPECT_EQ(placing.exit(), 4) << placing.told();
        const json found = whole_json(read("a.json"));
        EXPECT_EQ(found.at("status"), "budget");
        EXPECT_EQ(found.at("objective").is_null(), found.at("plan").is_null());
        if (!found.at("objective").is_null()) {
            EXPECT_GE(found.at("objective").get<double>(), found.at("lower_bound").get<double>());
        }
    }
}

TEST_F(Cli, ATimeLimitMeansTheSameEverywhere) {
    write("wide.json", wide_device_instance().dump());
    write("hard.sm", hard_project_text(40));
    for (const std::string command : {"search --model bert-large", "place wide.json --format max-load",
                                      "place wide.json --format latency", "schedule hard.sm --format psplib",
                                      "schedule hard.sm --format psplib --solver glpk"}) {
        SCOPED_TRACE(command);
        EXPECT_EQ(answered(command + " --time-limit 0", 4).at("status"), "budget");
        for (const std::string wrong : {"-1", "nan", "-inf"})
            refused(command + " --time-limit " + wrong,
                    {"option --time-limit: its value is '" + wrong + "'; it must be a number, at least 0"});
        refused(command + " --time-limit soon",
                {"option --time-limit: its value is 'soon'; it must be a number"});
    }
    for (const std::string command : {"search", "place", "schedule"}) {
        std::istringstream lines(run(command + " --help").out);
        std::string help;
        for (std::string word; lines >> word;) help += (help.empty() ? "" : " ") + word;
        EXPECT_NE(help.find("seconds after which the search ends with its best so far; 0 is no time at all"),
                  std::string::npos)
            << help;
    }
}

// Reading the input is no search, nor is writing the answer.
TEST_F(Cli, NoSearchOverrunsItsLimit) {
    write("hard.sm", hard_project_text(1000));
    write("wide.json", wide_device_instance().dump());
    for (const std::string command :
         {"schedule hard.sm --format psplib", "place wide.json --format max-load",
          "place wide.json --format latency", "place wide.json --format latency --threads 2"}) {
        SCOPED_TRACE(command);
        const json answer = answered(command + " --time-limit 0.5", 4);
        // 10 % and 50 ms, and as much again where other programs keep the machine busy.
        EXPECT_LT(answer.at("solve_seconds").get<double>(), 0.7);
    }
}

} // namespace
} // namespace dovetail::test
