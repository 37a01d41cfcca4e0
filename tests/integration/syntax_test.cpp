// The syntax of the command line: what is refused and how, and the pages, the manual and completions that
// are made of it.
#include <support/command_line.hpp>
#include <support/shared.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dovetail::test {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

/// Every command and part, as it is called.
const std::vector<std::string> all_commands{
    "inspect", "space",    "search", "price",     "price systolic", "price mapping", "price vector",
    "predict", "schedule", "place",  "calibrate", "validate",       "rerun",         "help"};

class Syntax : public Cli {
protected:
    /// Whether the program is there to check with.
    [[nodiscard]] static bool has(const std::string& program) {
        return std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0;
    }

    /// What a shell prints for a script that stands in a file of the test's folder.
    [[nodiscard]] answer shell(const std::string& line) const {
        const std::string all =
            "cd " + quoted(path("")) + " && (" + line + ") >shell.txt 2>error.txt </dev/null";
        const int status = std::system(all.c_str());
        return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read("shell.txt"), read("error.txt")};
    }

    /// The options of a command, and what its help tells of each.
    [[nodiscard]] std::map<std::string, std::string> options_of(const std::string& command) const {
        std::map<std::string, std::string> options;
        std::string name;
        for (const std::string& line : lines_of(run(command + " --help").out)) {
            if (line.starts_with("  --"))
                name = line.substr(2, line.find(' ', 2) - 2);
            else if (!line.starts_with("        "))
                name.clear();
            if (!name.empty()) options[name] += line.substr(line.find_first_not_of(' ')) + ' ';
        }
        return options;
    }
};

TEST_F(Syntax, AnOptionWithoutEffectIsRefused) {
    struct row {
        std::string command, option, goes_with;
    };
    const std::string search = "search bert-large ";
    const std::string price = "price bert-large --layer 1 ";
    const std::string predict = "predict bert-large ";
    const std::string schedule = "schedule bert-large --layer 1 ";
    const std::string psplib =
        "schedule " + quoted(source_file("tests/fuzz/corpus/psplib/one_mode.sm")) + " --format psplib ";
    const std::string vector = "price vector --operator softmax --rows 8 --length 8 ";
    const std::vector<row> rows{
        {search + "--samples 7", "--samples", "--strategy random"},
        {search + "--samples 7 --strategy area-ordered", "--samples", "--strategy random"},
        {search + "--hysteresis 3", "--hysteresis", "--strategy area-ordered"},
        {search + "--hysteresis 3 --strategy random", "--hysteresis", "--strategy area-ordered"},
        {search + "--cooling liquid", "--cooling", "--max-junction"},
        {search + "--devices 1 --link-gib 8", "--link-gib", "--devices of 2 or more"},
        {price + "--link-gib 8", "--link-gib", "--tensor-width of 2 or more"},
        {vector + "--entries 100", "--entries", "--operator embedding or embedding-gradient"},
        {predict + "--interleave 2", "--interleave", "--pp of 2 or more"},
        {predict + "--zero 1", "--zero", "--dp of 2 or more"},
        {predict + "--sequence-parallel", "--sequence-parallel", "--tp of 2 or more"},
        {"predict --hidden 512 --layers 4 --heads 8 --seq 512 --vocab 1000 --dimension a=1", "--dimension",
         "--model"},
        {schedule + "--formulation flow", "--formulation", "--solver glpk, --write-lp or --write-mps"},
        {schedule + "--memory-limit 1000 --solver list", "--memory-limit", "--solver exact"},
        {schedule + "--link-gib 8", "--link-gib", "--tensor-width of 2 or more"},
        {psplib + "--layer 1", "--layer", "--format model"},
        {psplib + "--pass backward", "--pass", "--format model"},
        {psplib + "--family phaze", "--family", "--format model"},
        {psplib + "--point num_tc=1", "--point", "--format model"},
        {psplib + "--micro-batch 2", "--micro-batch", "--format model"},
        {psplib + "--tensor-width 2", "--tensor-width", "--format model"},
        {psplib + "--tensor-width 2 --link-gib 8", "--tensor-width", "--format model"},
        {psplib + "--cost-model sound", "--cost-model", "--format model"},
        {psplib + "--dimension a=1", "--dimension", "--format model"},
        {psplib + "--memory-limit 1000", "--memory-limit", "--format model"},
        {"place x.json --format piper --schedule gpipe", "--schedule", "--format phaze"},
        {"place x.json --format piper --every-stage", "--every-stage", "--format phaze"},
        {"place x.json --format latency --choose-recomputation", "--choose-recomputation", "--format phaze"},
        {"place x.json --format latency --shard-optimizer", "--shard-optimizer", "--format phaze"},
        {"place x.json --format max-load --overlap-reduction", "--overlap-reduction", "--format phaze"},
        {"place x.json --format max-load --node-devices 2", "--node-devices", "--format phaze"},
        {"place x.json --stages-per-device 3", "--stages-per-device", "--schedule interleaved"},
        {"place x.json --node-gb-per-s 3", "--node-gb-per-s", "--node-devices of 1 or more"},
        {"place x.json --tensor-across-nodes", "--tensor-across-nodes", "--node-devices of 1 or more"},
        {"help search --man", "--man", "no command"},
        {"help --man --completion bash", "--completion", "neither a command nor --man"}};
    for (const auto& [command, option, goes_with] : rows)
        refused(command, {"option " + option + ": it would have no effect", "it goes with " + goes_with});
    refused(schedule + "--family n7", {"option --family", "'n7'", "it must be phaze"});

    // An option whose help tells what it goes with is in the table above, at least once.
    std::set<std::pair<std::string, std::string>> tried;
    for (const auto& [command, option, goes_with] : rows)
        for (const std::string& name : all_commands)
            if (command.starts_with(name + ' ')) tried.emplace(name, option);
    std::size_t conditions = 0;
    for (const std::string& command : all_commands)
        for (const auto& [option, text] : options_of(command))
            if (text.find("goes with") != std::string::npos) {
                EXPECT_TRUE(tried.count({command, option}) > 0) << command << ' ' << option;
                ++conditions;
            }
    EXPECT_GE(conditions, 30u);
}

TEST_F(Syntax, WhatHasAnEffectIsTaken) {
    const std::string chain = quoted(source_file("tests/instances/placement/even_chain.json"));
    for (const std::string line :
         {"predict bert-large --interleave 1 --zero 0", "predict bert-large --dp 2 --zero 1",
          "predict bert-large --tp 2 --sequence-parallel",
          "price bert-large --layer 1 --tensor-width 2 --link-gib 8", "space --seed 4 --threads 1",
          "inspect bert-large --seed 4 --threads 1",
          "price systolic --rows 8 --cols 8 --m 8 --n 8 --k 8 --dataflow ws --seed 3 --threads 2",
          "search bert-large --strategy random --samples 3 --micro-batches 1 2 --tensor-widths 1 --hbm-gib 80"
          " --max-junction 90 --cooling liquid"}) {
        const answer a = run(line + " --quiet");
        EXPECT_EQ(a.exit, 0) << line << ": " << a.err;
        EXPECT_EQ(a.out + a.err, "") << line;
    }
    const answer chained = run("place " + chain + " --schedule interleaved --stages-per-device 2 --quiet");
    EXPECT_NE(chained.exit, 2) << chained.err;
}

TEST_F(Syntax, NothingIsTakenTwice) {
    refused("search bert-large --devices 2 --devices 3",
            {"option --devices", "given twice, as '2' and as '3'"});
    refused("search bert-large --micro-batches 1 --micro-batches 2",
            {"option --micro-batches", "given twice"});
    refused("search bert-large --power --power", {"option --power", "given twice"});
    refused("space --json a.json --json b.json", {"option --json", "'a.json'", "'b.json'"});
    refused("inspect bert-large gpt2-xl", {"--model", "given twice", "'bert-large'", "'gpt2-xl'"});
    for (const std::string command : {"inspect", "search", "price", "predict", "schedule"})
        refused(command + " bert-large --model gpt2-xl", {"option --model", "given twice"});
    refused("place a.json --file b.json", {"option --file", "given twice"});
    refused("validate . --folder .", {"option --folder", "given twice"});
    refused("inspect x.onnx --dimension a=1 --dimension a=2", {"x.onnx"});
    write("x.onnx", "no model");
    refused("inspect x.onnx --dimension a=1 --dimension a=2", {"option --dimension", "'a'", "given twice"});
    // A dimension for each name is no repetition, in any form.
    for (const std::string form :
         {"--dimension a=1 --dimension b=2", "--dimension a=1 b=2", "--dimension a=1,b=2"})
        refused("inspect x.onnx " + form, {"x.onnx", "not a complete ONNX model"});
}

TEST_F(Syntax, AModelIsGivenByItsPlaceOrItsName) {
    const std::string chain = quoted(source_file("tests/instances/placement/even_chain.json"));
    const std::string search =
        " --strategy random --samples 2 --micro-batches 1 --tensor-widths 1 --threads 1";
    const std::string layer = " --layer 1";
    for (const auto& [command, options] : std::map<std::string, std::string>{
             {"inspect", ""}, {"search", search}, {"price", layer}, {"predict", ""}, {"schedule", layer}}) {
        json by_place = answered(command + " bert-large" + options);
        json by_name = answered(command + " --model bert-large" + options);
        json by_sign = answered(command + options + " --model=bert-large");
        for (json* found : {&by_place, &by_name, &by_sign}) {
            for (const char* timed : {"seconds", "solve_seconds", "peak_bytes", "command"})
                found->erase(timed);
            if (found->contains("search")) found->at("search").erase("seconds");
        }
        EXPECT_EQ(by_place, by_name) << command;
        EXPECT_EQ(by_place, by_sign) << command;
    }
    EXPECT_EQ(answered("place " + chain).at("plan"), answered("place --file " + chain).at("plan"));
}

TEST_F(Syntax, AMistypedWordIsGuessed) {
    const std::vector<std::pair<std::string, std::string>> rows{
        {"serach bert-large", "'search'"},
        {"price systolc --rows 8", "'systolic'"},
        {"help price systolc", "'systolic'"},
        {"help serach", "'search'"},
        {"search bert-large --devcies 5", "'--devices'"},
        {"search bert-large --hlep", "'--help'"},
        {"--verison", "'--version'"},
        {"search bert-large --family phaz", "'phaze'"},
        {"search bert-large --strategy exhastive", "'exhaustive'"},
        {"search bert-large --optimizer adma", "'adam'"},
        {"search bert-large --objective every-stag", "'every-stage'"},
        {"search bert-large --cost-model soudn", "'sound'"},
        {"search bert-large --max-junction 90 --cooling liqiud", "'liquid'"},
        {"search bert-lagre", "'bert-large'"},
        {"inspect gpt2xl", "'gpt2-xl'"},
        {"predict bert-large --system h100-smx", "'h100-sxm'"},
        {"predict bert-large --system a100", "'a100-sxm-40'"},
        {"predict bert-large --recompute selectiv", "'selective'"},
        {"calibrate . --system h10-sxm", "'h100-sxm'"},
        {"schedule bert-large --layer 1 --solver exatc", "'exact'"},
        {"schedule bert-large --layer 1 --formulation disjuntive --solver glpk", "'disjunctive'"},
        {"schedule bert-large --layer 1 --pass foward", "'forward'"},
        {"schedule x --format pslib", "'psplib'"},
        {"place x.json --format maxload", "'max-load'"},
        {"place x.json --schedule interleavd", "'interleaved'"},
        {"price vector --operator sofmax --rows 1 --length 1", "'softmax'"},
        {"price mapping --m 8 --n 8 --k 8 --objective enrgy --point "
         "num_tc=1,num_vc=1,width=1,depth=1,glb_mib=1",
         "'energy'"},
        {"help --completion zhs", "'zsh'"}};
    for (const auto& [command, meant] : rows) refused(command, {"did you mean " + meant + "?"});
    const answer far = run("search bert-large --strategy magic");
    EXPECT_EQ(far.err, "dovetail: option --strategy: its value is 'magic'; it must be one of exhaustive, "
                       "area-ordered, random\n");
}

TEST_F(Syntax, EveryRefusalHasOneForm) {
    const std::vector<std::pair<std::string, std::string>> rows{
        {"search", "option --model: it is not given; it is required: see dovetail search --help"},
        {"price mapping --n 8 --k 8",
         "option --m: it is not given; it is required: see dovetail price mapping --help"},
        {"price vector --operator embedding --rows 8 --length 8",
         "option --entries: it is not given; it is required with --operator embedding or embedding-gradient: "
         "see "
         "dovetail price vector --help"},
        {"search --xyzzy", "option --xyzzy: dovetail search has no such option; see dovetail search --help"},
        {"--xyzzy", "option --xyzzy: dovetail has no such option; see dovetail --help"},
        {"xyzzy", "there is no command 'xyzzy'; see dovetail --help"},
        {"help price xyzzy", "there is no part of price 'xyzzy'; see dovetail price --help"},
        {"space stray", "'stray': dovetail space takes no such argument; see dovetail space --help"},
        {"space --json",
         "option --json: its value is not given; write --json FILE, see dovetail space --help"},
        {"space --json --quiet",
         "option --json: its value is not given; write --json FILE, see dovetail space --help"},
        {"space --quiet=yes", "option --quiet: its value is 'yes'; it takes none"},
        {"space --json ''", "option --json: its value is ''; write --json FILE"},
        {"space --family x", "option --family: its value is 'x'; it must be one of phaze, n7"},
        {"search bert-large --hbm-gib 32,,80", "option --hbm-gib: an item of '32,,80' is empty; write a "
                                               "value, or several with one comma between two"},
        {"search bert-large --hbm-gib 32 80,", "option --hbm-gib: an item of '80,' is empty; write a "
                                               "value, or several with one comma between two"},
        {"search bert-large --hbm-gib ''",
         "option --hbm-gib: its list is empty; write a value, or several with one comma between two"},
        {"price bert-large --layer 1 systolic", "'systolic': it stands behind option --model of dovetail "
                                                "price; parts of a command come first, and take "
                                                "options of their own: see dovetail price systolic --help"}};
    for (const auto& [command, line] : rows) {
        const answer a = run(command);
        EXPECT_EQ(a.exit, 2) << command;
        EXPECT_EQ(a.out, "") << command;
        EXPECT_EQ(a.err, "dovetail: " + line + "\n") << command;
    }
    refused("", {"no command is given", "search", "dovetail --help"});
}

TEST_F(Syntax, HelpIsAskedForInEveryWay) {
    const answer top = run("--help");
    EXPECT_EQ(top.exit, 0);
    EXPECT_EQ(run("-h").out, top.out);
    EXPECT_EQ(run("help").out, top.out);
    for (const std::string& command : all_commands) {
        const answer page = run(command + " --help");
        EXPECT_EQ(page.exit, 0) << command;
        EXPECT_EQ(page.err, "") << command;
        EXPECT_EQ(run(command + " -h").out, page.out) << command;
        EXPECT_EQ(run("help " + command).out, page.out) << command;
        EXPECT_TRUE(page.out.starts_with("dovetail " + command + ": ")) << page.out;
        if (command.find(' ') == std::string::npos) {
            EXPECT_NE(top.out.find("\n  " + command + ' '), std::string::npos) << command;
        }
    }
    EXPECT_EQ(run("search --devices 0 --help").exit, 0) << "the page says what would be right";
    for (const char* status : {"\n  0 ", "\n  1 ", "\n  2 ", "\n  3 ", "\n  4 "})
        EXPECT_NE(top.out.find(status), std::string::npos) << status;
    EXPECT_EQ(run("--version").out, run("-v").out);
    EXPECT_TRUE(run("-v").out.starts_with("dovetail ")) << run("-v").out;
    // Lines end before the page does, but for what is to be copied and for words that are longer.
    for (const std::string& command : all_commands)
        for (const std::string& line : lines_of(run(command + " --help").out))
            EXPECT_TRUE(line.size() <= 80 || line.starts_with("  dovetail ") ||
                        line.find(' ', line.find_first_not_of(' ')) == std::string::npos)
                << line;
}

TEST_F(Syntax, HelpThatCannotBeWrittenIsAFailure) {
    if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
    for (const std::string command : {"--help", "--version", "help", "search --help", "help --man",
                                      "help --completion bash", "inspect bert-large"}) {
        const answer a = shell(quoted(DOVETAIL_CLI) + ' ' + command + " >/dev/full");
        EXPECT_EQ(a.exit, 2) << command;
        EXPECT_EQ(std::count(a.err.begin(), a.err.end(), '\n'), 1) << command << ": " << a.err;
        EXPECT_TRUE(a.err.starts_with("dovetail: standard output: ")) << command << ": " << a.err;
    }
}

TEST_F(Syntax, ExamplesWork) {
    fs::copy_file(source_file("examples/models/gpt2_124m.onnx"), path("model.onnx"));
    fs::copy_file(source_file("tests/instances/placement/even_chain.json"), path("instance.json"));
    fs::copy_file(source_file("tests/fuzz/corpus/device_placement/chain.json"), path("graph.json"));
    write("project.sm", content(source_file("tests/fuzz/corpus/psplib/one_mode.sm")));
    fs::create_directory(path("measurements"));
    for (const char* file : {"h100_products.csv", "h200_products.csv"})
        fs::copy_file(source_file("tests/instances/measured") / file, path("measurements") / file);
    ASSERT_EQ(run("inspect bert-large --quiet --json answer.json").exit, 0);
    for (const std::string& command : all_commands) {
        std::size_t examples = 0;
        const std::string page = run(command + " --help").out;
        for (const std::string& line :
             lines_of(page.substr(std::min(page.find("\nExamples\n"), page.size())))) {
            if (!line.starts_with("  dovetail ")) continue;
            ++examples;
            if (line.find('|') != std::string::npos && !has("man")) continue;
            const std::string words = line.substr(std::string_view("  dovetail ").size());
            const bool plain = words.find_first_of("|>") == std::string::npos && command != "help";
            const answer a = shell(quoted(DOVETAIL_CLI) + ' ' + words + (plain ? " --quiet" : ""));
            EXPECT_EQ(a.exit, 0) << line << '\n' << a.err;
            EXPECT_EQ(a.err, "") << line;
        }
        EXPECT_GE(examples, 2u) << command;
    }
}

TEST_F(Syntax, TheManualIsWholeAndClean) {
    const std::string manual = run("help --man").out;
    EXPECT_TRUE(manual.starts_with(".TH \"DOVETAIL\" 1 ")) << manual.substr(0, 80);
    write("dovetail.1", manual);
    for (const std::string& command : all_commands)
        for (const auto& [option, text] : options_of(command)) {
            std::string escaped;
            for (const char c : option) escaped += c == '-' ? std::string("\\-") : std::string(1, c);
            EXPECT_NE(manual.find(".B \"" + escaped), std::string::npos) << command << ' ' << option;
        }
    for (const char* part : {"EXIT STATUS", "PRICE SYSTOLIC", "Examples", "COMMANDS"})
        EXPECT_NE(manual.find(part), std::string::npos) << part;
    if (!has("groff")) GTEST_SKIP() << "no groff to read it";
    const answer read_by = shell("groff -man -ww -z dovetail.1 && groff -man -Tascii dovetail.1");
    EXPECT_EQ(read_by.exit, 0);
    EXPECT_EQ(read_by.err, "");
    if (has("man")) {
        EXPECT_EQ(shell("man --warnings -l dovetail.1").err, "");
    }
}

TEST_F(Syntax, ShellsTakeTheirCompletions) {
    for (const std::string name : {"bash", "zsh", "fish"}) {
        const answer script = run("help --completion " + name);
        EXPECT_EQ(script.exit, 0);
        for (const char* word : {"systolic", "area-ordered", "gpt3-175b", "a100-sxm-80", "tensor-widths"})
            EXPECT_NE(script.out.find(word), std::string::npos) << name << ' ' << word;
        write("dovetail." + name, script.out);
        if (!has(name)) continue;
        const answer checked = shell(name + " -n dovetail." + name);
        EXPECT_EQ(checked.exit, 0) << name << ": " << checked.err;
        EXPECT_EQ(checked.err, "") << name;
    }
}

TEST_F(Syntax, BashCompletes) {
    if (!has("bash")) GTEST_SKIP() << "no bash";
    write("dovetail.bash", run("help --completion bash").out);
    write("model.onnx", "");
    fs::create_directory(path("measurements"));
    const auto completed = [&](const std::string& words) {
        const answer a = shell("bash -c 'source ./dovetail.bash; COMP_WORDS=(" + words +
                               "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _dovetail; "
                               "printf \"%s\\n\" \"${COMPREPLY[@]}\"'");
        EXPECT_EQ(a.err, "") << words;
        const std::vector<std::string> lines = lines_of(a.out);
        return std::set<std::string>(lines.begin(), lines.end());
    };
    using words = std::set<std::string>;
    EXPECT_EQ(completed("dovetail s"), (words{"space", "schedule", "search"}));
    EXPECT_EQ(completed("dovetail --v"), words{"--version"});
    EXPECT_EQ(completed("dovetail search --strategy \"\""), (words{"exhaustive", "area-ordered", "random"}));
    EXPECT_EQ(completed("dovetail search --strategy = ar"), words{"area-ordered"});
    EXPECT_EQ(completed("dovetail search --strategy ="), (words{"exhaustive", "area-ordered", "random"}));
    EXPECT_EQ(completed("dovetail search --micro"), words{"--micro-batches"});
    EXPECT_EQ(completed("dovetail search --power --micro"), words{"--micro-batches"});
    EXPECT_EQ(completed("dovetail search gpt"), (words{"gpt2-xl", "gpt3-175b"}));
    EXPECT_EQ(completed("dovetail inspect mod"), words{"model.onnx"});
    EXPECT_EQ(completed("dovetail predict --model llama"), words{"llama2-7b"});
    EXPECT_EQ(completed("dovetail predict --system h"), (words{"h100-sxm", "h200-sxm"}));
    EXPECT_EQ(completed("dovetail price sy"), words{"systolic"});
    EXPECT_EQ(completed("dovetail price systolic --data"), words{"--dataflow"});
    EXPECT_EQ(completed("dovetail price systolic --dataflow \"\""), (words{"ws", "os", "is"}));
    EXPECT_EQ(completed("dovetail price systolic --mod"), words{""});
    EXPECT_EQ(completed("dovetail search gpt2-xl --html mod"), words{"model.onnx"});
    EXPECT_EQ(completed("dovetail validate m"), words{"measurements"});
    EXPECT_EQ(completed("dovetail search --devices \"\""), words{""}) << "a number is no word";
    EXPECT_EQ(completed("dovetail help pl"), words{"place"});
}

TEST_F(Syntax, FishCompletes) {
    if (!has("fish")) GTEST_SKIP() << "no fish";
    write("dovetail.fish", run("help --completion fish").out);
    const auto completed = [&](const std::string& line) {
        const answer a =
            shell("HOME=$PWD fish --no-config -c 'source ./dovetail.fish; complete -C \"" + line + "\"'");
        EXPECT_EQ(a.err, "") << line;
        std::set<std::string> found;
        for (const std::string& each : lines_of(a.out)) found.insert(each.substr(0, each.find('\t')));
        return found;
    };
    using words = std::set<std::string>;
    EXPECT_EQ(completed("dovetail s"), (words{"space", "schedule", "search"}));
    EXPECT_EQ(completed("dovetail search --strategy "), (words{"exhaustive", "area-ordered", "random"}));
    EXPECT_EQ(completed("dovetail search --micro"), words{"--micro-batches"});
    EXPECT_EQ(completed("dovetail price systolic --dataflow "), (words{"ws", "os", "is"}));
    EXPECT_EQ(completed("dovetail price systolic --dim"), words{});
    EXPECT_EQ(completed("dovetail predict gpt"), (words{"gpt2-xl", "gpt3-175b"}));
}

} // namespace
} // namespace dovetail::test
