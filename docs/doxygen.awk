# Turns the comments of a header into those that Doxygen reads: the first one of the file, those before a
# declaration, and those at the end of its line.
FNR == 1 && /^\/\// { print "/// \\file"; print "///" }
/^ *\/\// {
    # Goes on with what the line before it began at its end.
    if (at && index($0, "//") == at) sub(/\/\//, "///<")
    else { sub(/\/\//, "///"); at = 0 }
    print
    next
}
/[;,})] +\/\/ / && !/"[^"]*\/\// {
    at = match($0, / \/\/ /) + 1
    sub(/ \/\/ /, " ///< ")
    print
    next
}
# What we specialize of others is not in its sight.
/^template <>$/ { held = $0; next }
held != "" { if (!/^struct (boost|std)::/) print held "\n" $0; held = ""; next }
{ at = 0; print }
