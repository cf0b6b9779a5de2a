import { exitStatus } from './exit-status.ts';
import type { Io } from './io.ts';
import type { CommonOptions } from './open.ts';

/*
 * The scripts do not know the verbs and options. They ask the installed program, which also knows the tasks. Each line
 * of an answer is a word, in the order in which the shell shows them, then a tab and its description; or it says what
 * the shell completes by itself: `:files`, `:folders`, or `:command N`, a command that begins with the Nth of the words
 * that follow the program, counted from 0. After a word that ends with an equals sign, the shell adds no blank.
 */

const bash = `# bash completion for outlive: source <(outlive completion bash)
_outlive() {
  local line word head='' before='' rest=\${COMP_LINE-} at last
  local -a words=() places=()
  COMPREPLY=()
  # bash breaks words at : and =, so that web:1 and --wait=10s are three words each. Ours go on there.
  for ((at = 0; at <= COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    line=\${rest%%[![:space:]]*}
    rest=\${rest#"$line"}
    last=$((\${#words[@]} - 1))
    if ((at > 0)) && [[ -z $line && -n $rest && ( -n $word && -z \${word//[:=]/} || -n $before && -z \${before//[:=]/} ) ]]; then
      words[last]+=$word
    else
      words+=("$word")
      places+=("$at")
    fi
    rest=\${rest#"$word"}
    before=$word
  done
  last=$((\${#words[@]} - 1))
  word=\${words[last]}
  case $word in
    [\\'\\"]*) words[last]=\${word:1} ;;
    *) for line in : =; do
        if [[ $COMP_WORDBREAKS == *"$line"* && $word == *"$line"* ]]; then
          line=\${word%"\${word##*"$line"}"}
          ((\${#line} <= \${#head})) || head=$line
        fi
      done ;;
  esac
  while IFS= read -r line; do
    word=\${line%%$'\t'*}
    case $word in
      :command*) _outlive_command "\${places[\${word#:command } + 1]}" ;;
      :folders) _outlive_paths -d ;;
      :files) _outlive_paths -f ;;
      *) COMPREPLY+=("\${word#"$head"}") ;;
    esac
  done < <("\${COMP_WORDS[0]}" __complete "\${words[@]:1}" 2>/dev/null)
  [[ \${#COMPREPLY[@]} -ne 1 || \${COMPREPLY[0]} != *= ]] || _outlive_option nospace
}
_outlive_command() {
  if declare -F _command_offset >/dev/null; then
    _command_offset "$1"
  elif (($1 == COMP_CWORD)); then
    _outlive_generated -c
  else
    _outlive_paths -f
  fi
}
_outlive_paths() {
  _outlive_generated "$1"
  _outlive_option filenames
}
_outlive_generated() {
  local line
  while IFS= read -r line; do
    COMPREPLY+=("$line")
  done < <(compgen "$1" -- "\${COMP_WORDS[COMP_CWORD]}")
}
_outlive_option() {
  compopt -o "$1" 2>/dev/null
}
# Before bash 4.4 words are sorted, and files are offered where there are none.
complete -o nosort -F _outlive outlive 2>/dev/null || complete -o bashdefault -o default -F _outlive outlive
`;

const zsh = `#compdef outlive
# zsh completion for outlive: a file named _outlive in a folder of fpath, or source <(outlive completion zsh)
_outlive() {
  local line word
  local -a values shown open
  for line in "\${(@f)$("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    word="\${line%%$'\t'*}"
    case $word in
      '') ;;
      :command*)
        shift $(( \${word#:command } + 1 )) words
        (( CURRENT -= \${word#:command } + 1 ))
        _normal
        return
        ;;
      :folders) _files -/; return ;;
      :files) _files; return ;;
      *=) open+=("$word") ;;
      *)
        values+=("$word")
        shown+=("\${line/$'\t'/  -- }")
        ;;
    esac
  done
  (( \${#values} )) && compadd -V outlive -l -d shown -a values
  (( \${#open} )) && compadd -V outlive-open -S '' -a open
  (( \${#values} + \${#open} ))
}
if [[ \${funcstack[1]} == _outlive ]]; then
  _outlive "$@"
else
  compdef _outlive outlive
fi
`;

const fish = `# fish completion for outlive: outlive completion fish > ~/.config/fish/completions/outlive.fish
function __outlive_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] __complete $words[2..-1] $current 2>/dev/null)
        switch $line
            case ':command *'
                set -l first (math 2 + (string replace ':command ' '' -- $line))
                set -l before
                if test (count $words) -ge $first
                    set before (string escape -- $words[$first..-1])
                end
                complete -C (string join ' ' -- $before "$current")
            case :folders
                __fish_complete_directories $current
            case :files
                __fish_complete_path $current
            case '*'
                echo $line
        end
    end
end
complete -c outlive -f -k -a '(__outlive_complete)'
`;

const scripts: Readonly<Record<string, string>> = { bash, zsh, fish };

/** `outlive completion`: the script that teaches a shell our words. */
export async function completion(
  io: Io,
  [shell = '']: readonly string[],
  _options: CommonOptions,
): Promise<number> {
  await io.out(scripts[shell] ?? '');
  return exitStatus.ok;
}
